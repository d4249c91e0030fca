"""Carries the tool call out."""

from replan.nodes.contract import ExecuteRequest, ExecuteResult, Use


class ExecuteDirectly:
    """Calls the tool at once; whatever it raises becomes the observation's error."""

    async def __call__(self, request: ExecuteRequest, use: Use) -> ExecuteResult:
        """What the tool returned."""
        observation = await use.tools.call(
            request.action,
            seconds=request.seconds,
            protected=request.protected,
            only_removes=request.only_removes,
            calls=request.calls,
        )
        return ExecuteResult(observation=observation)
