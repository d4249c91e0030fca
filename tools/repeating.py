"""What is done about a call that an earlier process began and did not see the end of."""

from typing import Any

from replan.state.task import Action, Observation
from replan.tools.protocol import CallContext, Tool


def is_repeatable(tool: Tool, context: CallContext) -> bool:
    """Whether a call may be made again, from the files as they were, when its end was not seen."""
    if getattr(tool, "runs_code", False) and context.confinement is not None:
        return context.confinement.sandbox != "unsafe"
    return bool(getattr(tool, "repeatable", False))


async def settle(tool: Tool, args: dict[str, Any], context: CallContext) -> Observation:
    """What is observed of a call that may have had its effect, and must not be made twice."""
    find_out = getattr(tool, "settle", None)
    found = await find_out(args, context) if find_out else None
    if isinstance(found, Observation):
        return found
    return Observation(
        ok=False,
        reason="outcome unknown",
        error=f"the run was interrupted during this call of {tool.name}: it may or may not have "
        "had its effect, and was not made again. Find out which before you make it again.",
    )


def request_of(action: Action, context: CallContext) -> dict[str, Any]:
    """What the record knows a call by."""
    known = {"tool": action.tool, "args": action.args, "protected": list(context.protected)}
    # Left out where it is not so: calls recorded before there was such a rule stay the same.
    return known | ({"only_removes": True} if context.only_removes else {})
