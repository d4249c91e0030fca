"""Running Python: one-off code, a script of the workspace, the tests of the workspace."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar

from replan.state.task import Observation
from replan.tools.failure import failure, shorten, stuck, without_report, without_traceback
from replan.tools.formats import syntax_fault
from replan.tools.protocol import CallContext, ToolError, schema
from replan.tools.pytest_run import run_pytest
from replan.tools.sandbox.file_functions import VARIABLE as FILE_FUNCTIONS
from replan.tools.sandbox.protocol import PYTHON, SCRATCH, Confinement, Finished, Job
from replan.tools.sandbox.session import SCRIPT, run_confined
from replan.tools.sandbox.sessions import SESSIONS
from replan.tools.sandbox.variables import SPEAK_AFTER
from replan.tools.workspace import Workspace

SHOWN = 4000
_BEFORE_THE_END = 0.5
_SOURCE_BYTES = 1024 * 1024
NONE: Mapping[str, str] = MappingProxyType({})


class PythonTool:
    """One-off code. It lies outside the workspace, so that it leaves no file of its own there."""

    name = "python"
    description = (
        "run a Python script once: to compute, convert, count or sort data, and to write "
        "results to files; prints are shown"
    )
    parameters: ClassVar[dict[str, Any]] = schema(
        ["code"], code={"type": "string", "minLength": 1, "description": "the script"}
    )
    subject = "code"
    content = "code"
    content_language = "python"
    runs_code = True
    runs_given_code = True
    all_or_nothing = True
    shown_chars = SHOWN

    def unavailable(self) -> str:
        """Always available."""
        return ""

    async def call(self, args: dict[str, Any], context: CallContext) -> Observation:
        """Run the code, after compiling it, so that a syntax error costs nothing."""
        code = str(args["code"])
        wrong = await asyncio.to_thread(syntax_fault, code, SCRIPT)
        if wrong:
            return Observation(ok=False, error=wrong)
        finished = await _run_code(code, context)
        return await asyncio.to_thread(observed, finished, context.workspace, {SCRIPT: code})


class RunScript:
    """A script that is in the workspace already."""

    name = "run_script"
    description = "run a Python file that exists in the workspace"
    parameters: ClassVar[dict[str, Any]] = schema(
        ["path"],
        path={"type": "string", "minLength": 1, "description": "the .py file"},
        arguments={
            "type": "array",
            "items": {"type": "string"},
            "description": "command-line arguments",
        },
    )
    subject = "path"
    content = None
    content_language = ""
    runs_code = True
    shown_chars = SHOWN

    def unavailable(self) -> str:
        """Always available."""
        return ""

    async def call(self, args: dict[str, Any], context: CallContext) -> Observation:
        """Run the script with its arguments."""
        path = await asyncio.to_thread(_script, context.workspace, str(args["path"]))
        arguments = map(str, args.get("arguments") or ())
        finished = await run_python((path, *arguments), context, {})
        return await asyncio.to_thread(observed, finished, context.workspace, {})


class RunTests:
    """The tests of the workspace."""

    name = "run_tests"
    description = "run the tests with pytest"
    parameters: ClassVar[dict[str, Any]] = schema(
        path={"type": "string", "description": "a test file or folder; all tests without it"}
    )
    subject = "path"
    content = None
    content_language = ""
    runs_code = True

    def unavailable(self) -> str:
        """Always available: pytest is installed with the project."""
        return ""

    async def call(self, args: dict[str, Any], context: CallContext) -> Observation:
        """Run pytest; ok only when tests ran and passed."""
        path = str(args.get("path") or "")
        await asyncio.to_thread(_present, context.workspace, path)
        report = await run_pytest(context.workspace, path, context.seconds, context.confinement)
        return Observation(
            ok=report.ok,
            text=report.text(SHOWN),
            error="" if report.ok else report.headline(),
            exit_code=report.finished.exit_code,
            seconds=report.finished.seconds,
        )


async def _run_code(code: str, context: CallContext) -> Finished:
    if context.session:
        session = await asyncio.to_thread(
            SESSIONS.of,
            context.session,
            context.workspace.path,
            context.confinement or Confinement(),
        )
        return await session.execute(code, context.seconds)
    return await run_python(
        (f"{SCRATCH}/{SCRIPT}",), context, {SCRIPT: code}, {FILE_FUNCTIONS: "1"}
    )


async def run_python(
    command: tuple[str, ...],
    context: CallContext,
    files: Mapping[str, str],
    variables: Mapping[str, str] = NONE,
    handles: Sequence[int] = (),
) -> Finished:
    """Run a script in a process of its own.

    Args:
        command: the script's path and its arguments.
        context: of the call.
        files: what lies in the scratch folder, by name.
        variables: of the environment, beyond the usual ones.
        handles: file descriptors that it inherits.
    """
    job = Job(
        command=(PYTHON, *command),
        cwd=context.workspace.path,
        files=files,
        environment={**_environment(context), **variables},
        handles=handles,
    )
    return await run_confined(job, context.confinement, context.seconds)


def _environment(context: CallContext) -> dict[str, str]:
    """Where a script finds the workspace's own modules, and when it says where it is."""
    return {
        "PYTHONPATH": str(context.workspace.path),
        SPEAK_AFTER: str(max(0.1, context.seconds - _BEFORE_THE_END)),
    }


def _script(workspace: Workspace, path: str) -> str:
    _present(workspace, path)
    found = workspace.confine(path)
    if not found.is_file() or found.suffix != ".py":
        raise ToolError(f"{path} is not a Python file.")
    return str(found)


def _present(workspace: Workspace, path: str) -> None:
    if not workspace.confine(path).exists():
        raise ToolError(f"{path} does not exist.", "Name an existing file of the workspace.")


def observed(finished: Finished, workspace: Workspace, sources: dict[str, str]) -> Observation:
    """What the model is shown of a script's run."""
    place = str(workspace.path)
    out = shorten(finished.stdout, finished.scratch, place).rstrip()
    err = shorten(finished.stderr, finished.scratch, place).rstrip()
    known = {**_sources(workspace, err), **sources}
    error = "" if finished.ok else _why(finished, err, known, workspace.path)
    if error and finished.variables:
        error += f"; {shorten(finished.variables, finished.scratch, place)}"
    # A small model reads the frames of libraries, and loses sight of its own line.
    beside = without_traceback(err) if error else without_report(err)
    new = "(new Python session: there are no variables of earlier calls)"
    text = "\n".join(part for part in (new if finished.fresh else "", out, beside) if part)
    return Observation(
        ok=finished.ok,
        text=text or "(nothing was printed)",
        error=error,
        reason=finished.limit,
        exit_code=finished.exit_code,
        seconds=finished.seconds,
    )


def _why(finished: Finished, stderr: str, sources: dict[str, str], folder: Path) -> str:
    found = failure(stderr, sources, folder)
    if finished.limit:
        found = found or stuck(stderr, sources)
        return f"{finished.how()}; {found}" if found else finished.how()
    return found or _last_line(stderr) or finished.how()


def _last_line(stderr: str) -> str:
    lines = stderr.strip().splitlines()
    return lines[-1].strip()[:300] if lines else ""


def _sources(workspace: Workspace, stderr: str) -> dict[str, str]:
    """Text of the workspace's own files that the traceback names."""
    found: dict[str, str] = {}
    for line in stderr.splitlines():
        name = line.split('"')[1] if line.lstrip().startswith('File "') else ""
        if not name.endswith(".py") or name in found or name.startswith("/"):
            continue
        try:
            found[name] = workspace.read_bytes(name, _SOURCE_BYTES).decode("utf-8", "replace")
        except ToolError:
            continue
    return found
