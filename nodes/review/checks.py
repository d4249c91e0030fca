"""Decides from facts what happens next."""

from replan.nodes.contract import ReviewRequest, ReviewResult, Use


class ReviewByChecks:
    """Limits first, then failures, then open tasks; the goal's own checks have the last word."""

    async def __call__(self, request: ReviewRequest, use: Use) -> ReviewResult:
        """The decision."""
        if request.limit and not _finished(request):
            return ReviewResult(decision="stopped", reason=request.limit)
        if not request.tasks:
            return _again(request, "the goal was not decomposed into tasks")
        failed = [task for task in request.tasks if task.status == "failed"]
        if failed:
            last = failed[-1].attempts[-1].reason if failed[-1].attempts else "no attempt"
            return _again(request, f"'{failed[-1].headline[:160]}' failed: {last}")
        if any(task.status == "open" for task in request.tasks):
            return ReviewResult(decision="next")
        failing = [result.describe() for result in request.evidence if not result.passed]
        if failing:
            return _again(request, "; ".join(failing))
        return ReviewResult(decision="done", reason="every task is done and every check passes")


def _finished(request: ReviewRequest) -> bool:
    done = all(task.status in ("done", "dropped") for task in request.tasks)
    return bool(request.tasks) and done and all(result.passed for result in request.evidence)


def _again(request: ReviewRequest, why: str) -> ReviewResult:
    if request.replans < request.max_replans:
        return ReviewResult(decision="replan", reason=why)
    return ReviewResult(decision="failed", reason=why)
