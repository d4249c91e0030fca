"""A call, with what it changed in the workspace; what it must not leave is put back."""

import asyncio
from typing import Any

from replan.state.task import Observation
from replan.tools.bounds import clipped, named_up_to
from replan.tools.failure_hints import NOT_FOUND
from replan.tools.own_settings import OwnSettings
from replan.tools.protection import Protection, PutBack, put_back_each
from replan.tools.protocol import CallContext, TimeLimitError, Tool, ToolError
from replan.tools.rollback import Rollback

# Tools hold to their time themselves; this is for one that does not.
_GRACE_SECONDS = 5.0
_NAMED = 8
_SKIP = "first find out about all of them, then change them"


async def carry_out(tool: Tool, args: dict[str, Any], context: CallContext) -> Observation:
    """The call, as long as it may take."""
    try:
        return await asyncio.wait_for(tool.call(args, context), context.seconds + _GRACE_SECONDS)
    except TimeoutError as error:
        raise TimeLimitError(f"{tool.name} did not end within {context.seconds:g} s.") from error


def failed(error: Exception) -> Observation:
    """What is observed of a call that raised."""
    return Observation(ok=False, error=_told(error), reason=getattr(error, "reason", ""))


async def watched(tool: Tool, args: dict[str, Any], context: CallContext) -> Observation:
    """A call with what it changed, and with protected files and our own settings put back.

    Of a tool with `all_or_nothing`, a call that failed leaves nothing, in a workspace that is not
    too large for it; see `Rollback`.
    """
    before = await context.workspace.hashes()
    undo: Rollback | None = None
    if getattr(tool, "all_or_nothing", False):
        undo = await asyncio.to_thread(Rollback, context.workspace, before, context.protected)
    try:
        seen = await _guarded(tool, args, context)
        changed = _changed(before, await context.workspace.hashes())
        if undo is not None and not seen.ok:
            seen = await _undone(undo, before, changed, seen)
            changed = _changed(before, await context.workspace.hashes())
    finally:
        if undo is not None:
            await asyncio.to_thread(undo.forget)
    return seen.model_copy(update={"changed": changed})


async def _guarded(tool: Tool, args: dict[str, Any], context: CallContext) -> Observation:
    """A call, with what must not change put back, and told."""
    own = await asyncio.to_thread(OwnSettings, context.workspace)
    kept = await asyncio.to_thread(Protection, context.workspace, context.protected)
    restored: list[PutBack] = []
    try:
        try:
            seen = await carry_out(tool, args, context)
        finally:
            restored = await asyncio.to_thread(put_back_each, kept, own)
    except Exception as error:
        seen = failed(error)
    finally:
        await asyncio.to_thread(kept.forget)
    text = "\n".join([seen.text, *(one.told() for one in restored)]).lstrip()
    seen = seen.model_copy(update={"text": text})
    return _without(seen, [one.told() for one in restored if not one.done])


async def _undone(
    undo: Rollback, before: dict[str, str], changed: list[str], seen: Observation
) -> Observation:
    """What is observed of a failed call whose changes are taken back."""
    lost = await asyncio.to_thread(undo.roll_back, changed)
    if lost is None or not changed:
        return seen
    if (absent := NOT_FOUND.search(seen.error)) and absent[1] in before and absent[1] in changed:
        said = f"{seen.error}; the script itself had moved or removed it before: {_SKIP}"
        seen = seen.model_copy(update={"error": said})
    names = named_up_to(changed, _NAMED)
    told = f"It failed, so what it had changed is as before: {names}"
    seen = seen.model_copy(update={"text": f"{seen.text}\n{told}".lstrip()})
    return _without(seen, lost)


def _without(seen: Observation, lost: list[str]) -> Observation:
    """The observation of a call after which something could not be put back."""
    if not lost:
        return seen
    why = "; ".join(filter(None, (seen.error, *lost)))
    return seen.model_copy(update={"ok": False, "error": why})


def _changed(before: dict[str, str], after: dict[str, str]) -> list[str]:
    return sorted(
        path for path in before.keys() | after.keys() if before.get(path) != after.get(path)
    )


def _told(error: Exception) -> str:
    if isinstance(error, ToolError):
        return str(error)
    return clipped(f"{type(error).__name__}: {error}", 400)
