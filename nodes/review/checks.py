"""Decides from facts what happens next."""

from replan.nodes.contract import ReviewRequest, ReviewResult, Use
from replan.state.task import Task


class ReviewByChecks:
    """Limits first, then failures, then open tasks; the goal's own checks have the last word."""

    async def __call__(self, request: ReviewRequest, use: Use | None) -> ReviewResult:
        """The decision."""
        if request.limit and not _finished(request):
            return ReviewResult(decision="stopped", reason=request.limit)
        if not request.tasks:
            return again(request, "the goal was not decomposed into tasks")
        failed = [task for task in request.tasks if task.status == "failed"]
        if failed:
            return again(request, f"'{failed[-1].headline[:160]}' failed: {_why(failed[-1])}")
        if any(task.status == "open" for task in request.tasks):
            return ReviewResult(decision="next")
        failing = [result.describe() for result in request.evidence if not result.passed]
        if failing:
            return again(request, "; ".join(failing))
        return ReviewResult(decision="done", reason="every task is done and every check passes")


def _why(task: Task) -> str:
    """What went wrong last; that a call was made again says nothing of why it failed."""
    said = [attempt.reason for attempt in task.attempts if not attempt.observation.repeated]
    return said[-1] if said else "no attempt"


def _finished(request: ReviewRequest) -> bool:
    done = all(task.status in ("done", "dropped") for task in request.tasks)
    return bool(request.tasks) and done and all(result.passed for result in request.evidence)


def again(request: ReviewRequest, why: str) -> ReviewResult:
    """Another plan, for a reason; the end when the run may not plan anew any more."""
    if request.replans < request.max_replans:
        return ReviewResult(decision="replan", reason=why)
    limit = replans_used_up(request.max_replans)
    return ReviewResult(decision="failed", reason=f"{why} ({limit})")


def replans_used_up(most: int) -> str:
    """That a run may not plan anew again, in words."""
    return f"the limit of {most} replans (--set max_replans=N) is reached"
