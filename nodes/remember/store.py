"""Keeps in the store how a run ended and what it learned."""

from replan.memory.experience import Experience, keep_experience
from replan.nodes.contract import RememberRequest, RememberResult, Use


class RememberInStore:
    """One experience a run: goal, outcome, lesson."""

    async def __call__(self, request: RememberRequest, use: Use) -> RememberResult:
        """Write it under the thread's id, so that a resumed run does not write twice."""
        if use.store is None:
            return RememberResult()
        lesson = "; ".join(request.lessons)
        kept = Experience(goal=request.goal, status=request.status, lesson=lesson)
        await keep_experience(use.store, use.thread_id, kept)
        return RememberResult(written=1)
