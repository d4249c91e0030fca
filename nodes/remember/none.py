"""Keeps nothing."""

from replan.nodes.contract import RememberRequest, RememberResult, Use


class RememberNothing:
    """For runs that must leave no trace in memory."""

    async def __call__(self, request: RememberRequest, use: Use) -> RememberResult:
        """Nothing is written."""
        return RememberResult()
