"""Recalls from the store what earlier runs with similar goals learned."""

from replan.memory.experience import similar_experiences
from replan.nodes.contract import RecallRequest, RecallResult, Use


class RecallFromStore:
    """The few most similar goals, each with outcome and lesson."""

    async def __call__(self, request: RecallRequest, use: Use) -> RecallResult:
        """Memories whose goals share words with this one."""
        if use.store is None:
            return RecallResult()
        found = await similar_experiences(use.store, request.goal)
        return RecallResult(memories=[experience.in_words() for experience in found])
