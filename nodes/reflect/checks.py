"""Judges by evidence alone."""

from replan.nodes.contract import ReflectRequest, ReflectResult, Use
from replan.nodes.faults import faults
from replan.nodes.left_to_change import left_to_change
from replan.nodes.look_ups import LOOKING, found_by, reads
from replan.nodes.named_files import files_meant
from replan.nodes.survey import shows_whole
from replan.state.task import CheckResult

REHEARSED = "dry run"
# That something changed, or did not, is needed, and yet does not say that all is done.
_PROVES_LITTLE = ("workspace_changed", "some_stay", "only_removed")
_PATIENCE = 3
_MOST_READ = 8


class ReflectByChecks:
    """Done when every check passes and the call succeeded. Asks no model; a task without checks
    is done when its call succeeded and left something to see.
    """

    async def __call__(self, request: ReflectRequest, use: Use) -> ReflectResult:
        """The verdict."""
        return by_evidence(request) or ReflectResult(verdict="done", reason="the call succeeded")


def by_evidence(request: ReflectRequest) -> ReflectResult | None:
    """The verdict where evidence decides it, None where it takes an opinion."""
    if known := was_rehearsed(request) or was_unasked(request):
        return known
    seen = request.observation
    failing = [result for result in request.evidence if not result.passed]
    proven = bool(request.evidence) and not failing
    if seen.repeated:
        return ReflectResult(verdict="retry", reason="this call was made before; it was not again")
    if not seen.ok:
        return ReflectResult(verdict="retry", reason=seen.error[:300] or "the call failed")
    if not proven and (planned := planned_further(request)):
        return planned
    if request.action.tool == "write_file" and not seen.changed and not proven:
        return ReflectResult(verdict="retry", reason="the file is just as it was before")
    if failing:
        return _unfinished(request, failing)
    if proven and _left_by_failure(request):
        return ReflectResult(verdict="retry", reason="the files are what a failed call left")
    left = left_to_change(request.task, request.existing, seen.changed, request.evidence)
    if left and any(path in request.task.writes for path in seen.changed):
        return ReflectResult(verdict="continue", reason=f"not changed yet: {', '.join(left)}")
    if any(result.check.kind not in _PROVES_LITTLE for result in request.evidence):
        return ReflectResult(verdict="done", reason="every check passes")
    if unseen := _unseen(request):
        reason = f"not looked at yet: {', '.join(unseen)}"
        return ReflectResult(verdict="continue", reason=reason)
    if request.action.tool not in LOOKING and not seen.changed and not seen.text.strip():
        return ReflectResult(verdict="retry", reason="the call changed nothing and printed nothing")
    return None


def _unseen(request: ReflectRequest) -> list[str]:
    """The files that the task speaks of by their names and that were not read yet, while it reads
    one after the other: a model that has seen one of them says that it is done.
    """
    task, action = request.task, request.action
    meant = files_meant(task.title, request.existing)[:_MOST_READ]
    if action.tool != "read_file" or task.calls or len(task.found) >= _MOST_READ:
        return []
    now = found_by(action, "")
    if not any(reads(now, path) for path in meant):
        return []
    return [
        path
        for path in meant
        if not shows_whole(request.brief.survey, path)
        and not any(reads(found, path) for found in [*task.found, now])
    ]


def was_rehearsed(request: ReflectRequest) -> ReflectResult | None:
    """The verdict about a call that was told of and not made; None of any other."""
    if request.observation.reason != REHEARSED:
        return None
    return ReflectResult(verdict="done", reason="told of and not made, in a dry run")


def was_unasked(request: ReflectRequest) -> ReflectResult | None:
    """The verdict about a look that nobody was asked for, whatever came of it; else None."""
    if not request.action.unasked:
        return None
    return ReflectResult(verdict="continue", reason="looked up before anything is asked")


def planned_further(request: ReflectRequest) -> ReflectResult | None:
    """The verdict about a call that went well and after which others are planned; else None."""
    if not request.observation.ok or request.task.rounds + 1 >= len(request.task.calls):
        return None
    return ReflectResult(verdict="continue", reason="the next planned call follows")


def _left_by_failure(request: ReflectRequest) -> bool:
    """Whether the files were last written by a call that failed: half written, perhaps."""
    wrote = [attempt for attempt in request.task.attempts if attempt.observation.changed]
    return bool(wrote) and not wrote[-1].observation.ok and not request.observation.changed


def _unfinished(request: ReflectRequest, failing: list[CheckResult]) -> ReflectResult:
    if unseen := _unseen(request):
        reason = f"not looked at yet: {', '.join(unseen)}"
        return ReflectResult(verdict="continue", reason=reason)
    reason = "; ".join(result.describe() for result in failing)[:400]
    fewer = faults(failing) < faults(request.task.failing)
    looked = request.action.tool in LOOKING
    looks = 0
    for attempt in reversed(request.task.attempts):
        if attempt.verdict != "continue":
            break
        looks += not attempt.action.unasked
    if (fewer or looked) and looks < _PATIENCE:
        return ReflectResult(verdict="continue", reason=reason)
    return ReflectResult(verdict="retry", reason=reason)
