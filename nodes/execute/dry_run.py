"""Says what a tool call would do, and does not make it."""

from replan.nodes.contract import ExecuteRequest, ExecuteResult, Use
from replan.nodes.reflect.checks import REHEARSED
from replan.state.task import Action, Observation
from replan.tools.bounds import clipped
from replan.tools.protocol import Tool, ToolError

_ARGUMENT = 200
_CONTENT = 600


class RehearseCall:
    """Changes nothing, neither by tools that write nor by code, and reaches nothing outside. What
    only reads in the workspace is really read, since what follows is chosen by it; of any other
    call it is checked that it could be made, and told what it is.
    """

    # Nobody has to agree to a call that is not made.
    rehearses = True

    async def __call__(self, request: ExecuteRequest, use: Use) -> ExecuteResult:
        """What was read, or what would be done."""
        action = request.action
        try:
            tool = use.tools.get(action.tool)
            decision = await use.tools.decide(action)
        except ToolError as error:
            return ExecuteResult(observation=Observation(ok=False, error=str(error)))
        if decision.effect == "deny" or (decision.effect == "allow" and _only_looks(tool)):
            # A call that is denied says so itself.
            seen = await use.tools.call(action, request.seconds, request.protected)
            return ExecuteResult(observation=seen)
        asks = " A person would be asked first." if decision.effect == "ask" else ""
        told = f"Dry run, nothing was done. It would call {_told(action, tool)}{asks}"
        return ExecuteResult(observation=Observation(ok=True, text=told, reason=REHEARSED))


def _only_looks(tool: Tool) -> bool:
    return bool(getattr(tool, "reads_only", False)) and not getattr(tool, "leaves", False)


def _told(action: Action, tool: Tool) -> str:
    """The call in words: short arguments on its line, the long one below it."""
    short = [
        f"{name}={clipped(str(value), _ARGUMENT)}"
        for name, value in action.args.items()
        if name != tool.content
    ]
    line = " ".join([action.tool, *short])
    content = str(action.args.get(tool.content or "", ""))
    return f"{line} with:\n{content[:_CONTENT].rstrip()}\n" if content else f"{line}."
