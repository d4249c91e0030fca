"""A call, with what it changed in the workspace; what it must not leave is put back."""

import asyncio
from typing import Any

from replan.state.task import Observation
from replan.tools.bounds import clipped, named_up_to
from replan.tools.checks import not_only_removed
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
        undo = await asyncio.to_thread(Rollback, context.workspace, before)
    try:
        seen = await _guarded(tool, args, context)
        after = await context.workspace.hashes()
        if undo is not None and context.only_removes and seen.ok:
            renamed = not_only_removed(before, after)
            seen = seen.model_copy(update={"ok": not renamed, "error": renamed})
        changed = _changed(before, after)
        if undo is not None and not seen.ok:
            lost = await asyncio.to_thread(undo.roll_back, changed)
            if lost is not None:
                left = _changed(before, await context.workspace.hashes())
                back = [path for path in changed if path not in left]
                gone = {path for path in back if path not in after}
                seen = _without(_told_of_undone(seen, back, gone), _lost(seen, lost))
                changed = left
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


def _told_of_undone(seen: Observation, back: list[str], gone: set[str]) -> Observation:
    """What is observed of a failed call whose changes were taken back.

    Args:
        seen: what it came to.
        back: the paths that are as before again.
        gone: those of them that the call had moved or removed.
    """
    if not back:
        return seen
    absent = NOT_FOUND.search(seen.error)
    if absent and absent[1] in gone:
        # Where it was then is not where it is now.
        error, mark, _ = seen.error.partition("); ")
        error = f"{error}{mark.strip('; ')}; the script itself had moved or removed it: {_SKIP}"
        seen = seen.model_copy(update={"error": error})
    told = f"It failed, so what it had changed is as before: {named_up_to(back, _NAMED)}"
    return seen.model_copy(update={"text": f"{seen.text}\n{told}".lstrip()})


def _lost(seen: Observation, lost: list[PutBack]) -> list[str]:
    """A line for each file that could not be put back, but for protected ones, told already."""
    return [
        f"{one.path} could not be put back" + (f"; as it was, it is in {one.copy}" * bool(one.copy))
        for one in lost
        if f"{one.path} must not change" not in seen.error
    ]


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
