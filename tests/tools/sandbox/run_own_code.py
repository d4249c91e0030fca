"""`python run_own_code.py SANDBOX`: may code change the replan that runs it?

Makes a project folder with a virtual environment and a copy of replan's packages, and runs itself
in it, with the project as the workspace and then with the folder above. A program of its own, so
that it can run as another user. Prints JSON: by workspace, what each attempt said and whether it
came through.
"""

import asyncio
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

VERSION = f"python{sys.version_info.major}.{sys.version_info.minor}"
PACKAGES = ("cli", "graphs", "memory", "models", "nodes", "state", "storage", "tools")
LAUNCHER = "src/replan/tools/sandbox/launcher.py"
# In the project; each prints what it met. `P` is the project, from the workspace on.
ATTACKS = {
    "write the launcher": f"open(P + '{LAUNCHER}', 'a').write('#')",
    "replace the launcher": (f"open('new', 'w').write('#'); os.rename('new', P + '{LAUNCHER}')"),
    "truncate the launcher": f"os.truncate(P + '{LAUNCHER}', 0)",
    "link to the launcher": f"os.link(P + '{LAUNCHER}', 'hard'); open('hard', 'a').write('#')",
    "write by a link": "os.symlink(P + 'src', 'soft'); open('soft/replan/tools/new.py', 'w')",
    "a path file": f"open(P + '.venv/lib/{VERSION}/site-packages/new.pth', 'w')",
    "the interpreter": "os.remove(P + '.venv/bin/python')",
    "move the packages": "os.rename(P + 'src/replan/tools', P + 'tools')",
    "move the folder above": "os.rename(P + 'src', P + 'away')",
    "move the environment": "os.rename(P + '.venv', P + 'away')",
    "the sandbox's environment": "open(sys.prefix + '/pyvenv.cfg', 'a').write('#')",
    "move the cache": "os.rename(P + 'cache/sandbox', P + 'cache/away')",
}
FINE = "open('new.txt', 'w'); os.rename('new.txt', 'kept.txt'); open(P + 'kept.txt', 'w')"
FILE_TOOLS: dict[str, tuple[str, dict[str, Any]]] = {
    "write_file": ("write_file", {"path": f"PROJECT{LAUNCHER}", "text": "x"}),
    "write_file by a link": ("write_file", {"path": "led/replan/tools/new.py", "text": "x"}),
    "edit_file": (
        "edit_file",
        {"path": f"PROJECT{LAUNCHER}", "edits": [{"old": "import sys", "new": "import os"}]},
    ),
    "move_files": ("move_files", {"moves": [{"files": ["PROJECTsrc"], "to": "away/"}]}),
    "move_files into it": (
        "move_files",
        {"moves": [{"files": ["PROJECTa.py"], "to": "PROJECTsrc/replan/tools/"}]},
    ),
    "delete_file": ("delete_file", {"path": "PROJECTsrc", "whole": True}),
}


def make(project: Path) -> None:
    """The project: replan's packages in `src`, an environment in `.venv`, a cache."""
    packages = Path(__file__).parents[3]
    for name in PACKAGES:
        shutil.copytree(
            packages / name,
            project / "src/replan" / name,
            ignore=shutil.ignore_patterns("__pycache__"),
        )
    (project / "a.py").write_text("")
    bin_folder, site = project / ".venv/bin", project / f".venv/lib/{VERSION}/site-packages"
    for folder in (bin_folder, site):
        folder.mkdir(parents=True)
    base = Path(getattr(sys, "_base_executable", sys.executable)).resolve()
    (bin_folder / "python").symlink_to(base)
    told = f"home = {base.parent}\ninclude-system-site-packages = false\n"
    (project / ".venv/pyvenv.cfg").write_text(told)
    others = [path for path in sys.path if path.endswith("site-packages")]
    (site / "own.pth").write_text("\n".join([str(project / "src"), *others]))
    (project / "cache").mkdir()


def state(project: Path) -> str:
    """What must not change, as one value."""
    found = hashlib.sha256()
    for folder in ("src", ".venv", "cache"):
        for path in sorted((project / folder).rglob("*")):
            if "__pycache__" not in path.parts:
                found.update(f"{path}{path.is_symlink()}".encode())
                if path.is_file() and (folder != "cache" or path.name == "pyvenv.cfg"):
                    found.update(path.read_bytes())
    return found.hexdigest()


async def attempts(sandbox: str, workspace: Path, project: Path) -> dict[str, Any]:
    """In the project's own replan."""
    import replan.tools.sandbox.environment as environment
    import replan.tools.sandbox.launcher as launcher
    from replan.tools.protocol import ToolError
    from replan.tools.sandbox.choose import BACK_ENDS
    from replan.tools.sandbox.protocol import Limits

    inside = "" if workspace == project else f"{project.name}/"
    # Without packages it is made in a moment; made by the first call it would seem a change.
    environment._closure = dict
    await asyncio.to_thread(environment.python_environment)
    found: dict[str, Any] = {"ran": launcher.__file__}
    session = BACK_ENDS[sandbox].open(workspace, Limits())
    for name, code in {"fine": FINE, **ATTACKS}.items():
        before = await asyncio.to_thread(state, project)
        try:
            done = await session.execute(f"import os, sys\nP = {inside!r}\n{code}", 20)
            said = done.stderr.strip().splitlines()[-1:] or ["done"]
        except ToolError as error:
            said = [f"{error.what} {error.todo}"]
        changed = before != await asyncio.to_thread(state, project)
        found[name] = {"said": said[0], "changed": changed}
        if changed:
            break  # What comes next would meet another replan.
    await session.close()
    found["file tools"] = await by_file_tools(workspace, inside)
    return found


async def by_file_tools(workspace: Path, inside: str) -> dict[str, str]:
    from replan.state.task import Action
    from replan.tools.toolbox import Toolbox
    from replan.tools.workspace import Workspace

    (workspace / "led").symlink_to(f"{inside}src")
    toolbox = Toolbox(Workspace(workspace))
    seen = {}
    for name, (tool, args) in FILE_TOOLS.items():
        args = json.loads(json.dumps(args).replace("PROJECT", inside))
        seen[name] = (await toolbox.call(Action(tool=tool, args=args))).error
    return seen


def main() -> None:
    sandbox, *more = sys.argv[1:]
    if more:
        workspace, project = map(Path, more)
        # Where this file lies is no part of a project.
        sys.path.pop(0)
        print(json.dumps(asyncio.run(attempts(sandbox, workspace, project))))
        return
    found = {}
    for name in ("project", "above"):
        with tempfile.TemporaryDirectory(prefix="replan-own-") as made:
            project = Path(made).resolve() / "place/project"
            make(project)
            workspace = project if name == "project" else project.parent
            done = subprocess.run(
                [project / ".venv/bin/python", __file__, sandbox, workspace, project],
                env={**os.environ, "REPLAN_CACHE": str(project / "cache")},
                cwd=project,
                capture_output=True,
                text=True,
                check=False,
            )
            found[name] = json.loads(done.stdout) if done.stdout else done.stderr[-2000:]
    print(json.dumps(found))


if __name__ == "__main__":
    main()
