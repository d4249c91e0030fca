"""Running Python: one-off code, a script of the workspace, the tests of the workspace."""

import asyncio
import os
import sys
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar

from replan.state.task import Observation
from replan.tools.bounds import bounded
from replan.tools.failure import failure, shorten, stuck, without_traceback, without_witness
from replan.tools.formats import syntax_fault
from replan.tools.process import SCRATCH, Finished, Job, Limits, run
from replan.tools.protocol import CallContext, ToolError, schema
from replan.tools.pytest_run import run_pytest
from replan.tools.witness import SPEAK_AFTER
from replan.tools.workspace import Workspace

_SHOWN = 4000
_SCRIPT = "script.py"
_BEFORE_THE_END = 0.5
_SOURCE_BYTES = 1024 * 1024


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
    content = "code"
    content_language = "python"

    def unavailable(self) -> str:
        """Always available."""
        return ""

    async def call(self, args: dict[str, Any], context: CallContext) -> Observation:
        """Run the code, after compiling it, so that a syntax error costs nothing."""
        code = str(args["code"])
        wrong = await asyncio.to_thread(syntax_fault, code, _SCRIPT)
        if wrong:
            return Observation(ok=False, error=wrong)
        finished = await _watched((f"{SCRATCH}/{_SCRIPT}",), context, {_SCRIPT: code})
        return await asyncio.to_thread(_observe, finished, context.workspace, {_SCRIPT: code})


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
    content = None
    content_language = ""

    def unavailable(self) -> str:
        """Always available."""
        return ""

    async def call(self, args: dict[str, Any], context: CallContext) -> Observation:
        """Run the script with its arguments."""
        path = await asyncio.to_thread(_script, context.workspace, str(args["path"]))
        arguments = map(str, args.get("arguments") or ())
        finished = await _watched((path, *arguments), context, {})
        return await asyncio.to_thread(_observe, finished, context.workspace, {})


class RunTests:
    """The tests of the workspace."""

    name = "run_tests"
    description = "run the tests with pytest"
    parameters: ClassVar[dict[str, Any]] = schema(
        path={"type": "string", "description": "a test file or folder; all tests without it"}
    )
    content = None
    content_language = ""

    def unavailable(self) -> str:
        """Always available: pytest is installed with the project."""
        return ""

    async def call(self, args: dict[str, Any], context: CallContext) -> Observation:
        """Run pytest; ok only when tests ran and passed."""
        path = str(args.get("path") or "")
        await asyncio.to_thread(_present, context.workspace, path)
        report = await run_pytest(context.workspace, path, context.seconds)
        return Observation(
            ok=report.ok,
            text=report.text(_SHOWN),
            error="" if report.ok else report.headline(),
            exit_code=report.finished.exit_code,
            seconds=report.finished.seconds,
        )


async def _watched(
    command: tuple[str, ...], context: CallContext, files: dict[str, str]
) -> Finished:
    """Run a script with the witness beside it.

    Args:
        command: the script's path and its arguments.
        context: of the call.
        files: what else lies in the scratch folder, by name.
    """
    # In a thread: the first time, the witness is read from disk.
    witness = await asyncio.to_thread(_witness)
    job = Job(
        command=(sys.executable, *command),
        cwd=context.workspace.path,
        files={**files, **witness},
        environment=_environment(context),
    )
    return await run(job, Limits(seconds=context.seconds))


@lru_cache
def _witness() -> dict[str, str]:
    """What Python runs at its start, so that a failing script says what its names stood for."""
    return {"sitecustomize.py": Path(__file__).with_name("witness.py").read_text("utf-8")}


def _environment(context: CallContext) -> dict[str, str]:
    """Where a script finds the witness and the workspace's own modules."""
    return {
        "PYTHONPATH": os.pathsep.join([SCRATCH, str(context.workspace.path)]),
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


def _observe(finished: Finished, workspace: Workspace, sources: dict[str, str]) -> Observation:
    """What the model is shown of a script's run."""
    place = str(workspace.path)
    out = shorten(finished.stdout, finished.scratch, place).rstrip()
    err = shorten(finished.stderr, finished.scratch, place).rstrip()
    error = "" if finished.ok else _why(finished, err, {**_sources(workspace, err), **sources})
    # A small model reads the frames of libraries, and loses sight of its own line.
    beside = without_traceback(err) if error else without_witness(err)
    text = "\n".join(part for part in (out, beside) if part)
    return Observation(
        ok=finished.ok,
        text=bounded(text, _SHOWN) or "(nothing was printed)",
        error=error,
        exit_code=finished.exit_code,
        seconds=finished.seconds,
    )


def _why(finished: Finished, stderr: str, sources: dict[str, str]) -> str:
    found = failure(stderr, sources)
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
            file = workspace.confine(name)
            if file.is_file():
                with file.open("rb") as opened:
                    found[name] = opened.read(_SOURCE_BYTES).decode("utf-8", "replace")
        except (ToolError, OSError):
            continue
    return found
