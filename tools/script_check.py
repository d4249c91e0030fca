"""Does a script of the workspace run to its end? Tried in a copy, so that it leaves nothing."""

import asyncio
import shlex
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

from replan.state.task import Check
from replan.tools.listing import IGNORED, MOST_FILES, walk
from replan.tools.protocol import CallContext, ToolError
from replan.tools.python import RunScript
from replan.tools.sandbox.protocol import Confinement
from replan.tools.workspace import Workspace

# Larger workspaces are not copied for it, and nothing is held against their scripts.
_MOST_BYTES = 50_000_000


async def fault_of_script(
    check: Check, workspace: Workspace, seconds: float, confinement: Confinement | None
) -> str:
    """Why the script of a `script_runs` check does not end well, in one line; "" when it does.

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
        await asyncio.to_thread(_copy, workspace.path, copy)
        context = CallContext(Workspace(copy), seconds, confinement=confinement)
        args = {"path": check.path, "arguments": arguments_of(check)}
        seen = await RunScript().call(args, context)
    finally:
        await asyncio.to_thread(shutil.rmtree, scratch, ignore_errors=True)
    return "" if seen.ok else seen.error


def arguments_of(check: Check) -> list[str]:
    """What a `script_runs` check gives the script."""
    with suppress(ValueError):
        return shlex.split(check.text)
    return []


def _is_small(folder: Path) -> bool:
    left = _MOST_BYTES
    for _, _, entry in walk(folder, MOST_FILES):
        with suppress(OSError):
            left -= entry.stat(follow_symlinks=False).st_size
        if left < 0:
            return False
    return True


def _copy(folder: Path, copy: Path) -> None:
    try:
        shutil.copytree(folder, copy, symlinks=True, ignore=shutil.ignore_patterns(*IGNORED))
    except shutil.Error as error:  # a named pipe, say: it cannot be tried without it
        raise ToolError(
            f"the workspace cannot be copied to try the script: {error}"[:300]
        ) from error
