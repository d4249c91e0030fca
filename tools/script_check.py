"""Does a script of the workspace run to its end? Tried in a copy, so that it leaves nothing."""

import asyncio
import re
import shlex
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

from replan.state.task import Check
from replan.tools.listing import IGNORED, walk
from replan.tools.protocol import CallContext
from replan.tools.python import RunScript
from replan.tools.sandbox.protocol import Confinement
from replan.tools.workspace import Workspace

# Larger workspaces are not copied for it, and nothing is held against their scripts.
_MOST_BYTES = 50_000_000
_MOST_FILES = 2000
_UNTRIED = re.compile(
    r"\bEOFError\b|\busage: |IndexError[^\n]*sys\.argv\[|ConnectionError|URLError|gaierror"
    r"|Network is unreachable|Temporary failure in name resolution"
)


async def fault_of_script(
    check: Check, workspace: Workspace, seconds: float, confinement: Confinement | None
) -> str:
    """Why the script of a `script_runs` check does not end well, in one line; "" when it does.

    Nothing is held against a script that cannot be tried so: it waits for a person, wants arguments
    or the network, names the workspace by its absolute path, or does not end in that time.

    Args:
        check: its path, and as its text the arguments as in a shell.
        workspace: where the script is, and what it works on.
        seconds: time that it may take.
        confinement: the sandbox; None for `auto`.

    Raises:
        ToolError: the script is not there.
    """
    if not await asyncio.to_thread(_is_small, workspace.path):
        return ""
    scratch = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="replan-tried-"))
    try:
        copy = scratch / "workspace"
        if not await asyncio.to_thread(_copied, workspace.path, copy):
            return ""
        context = CallContext(Workspace(copy), seconds, confinement=confinement)
        args = {"path": check.path, "arguments": arguments_of(check)}
        seen = await RunScript().call(args, context)
    finally:
        await asyncio.to_thread(shutil.rmtree, scratch, ignore_errors=True)
    told = f"{seen.error}\n{seen.text}"
    if seen.ok or seen.reason or str(workspace.path) in told or _UNTRIED.search(told):
        return ""
    return seen.error


def arguments_of(check: Check) -> list[str]:
    """What a `script_runs` check gives the script."""
    with suppress(ValueError):
        return shlex.split(check.text)
    return []


def _is_small(folder: Path) -> bool:
    left = _MOST_BYTES
    for count, (_, _, entry) in enumerate(walk(folder, _MOST_FILES + 1), 1):
        with suppress(OSError):
            left -= entry.stat(follow_symlinks=False).st_size
        if left < 0 or count > _MOST_FILES:
            return False
    return True


def _copied(folder: Path, copy: Path) -> bool:
    try:
        shutil.copytree(folder, copy, symlinks=True, ignore=shutil.ignore_patterns(*IGNORED))
    except (shutil.Error, OSError):  # a named pipe, say
        return False
    return True
