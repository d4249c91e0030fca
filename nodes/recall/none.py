"""Recalls nothing."""

from replan.nodes.contract import RecallRequest, RecallResult, Use


class RecallNothing:
    """For runs that must not depend on earlier ones."""

    async def __call__(self, request: RecallRequest, use: Use) -> RecallResult:
        """No memories."""
        return RecallResult()
