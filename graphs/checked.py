"""Checks of a node. Those that run the workspace's own code are calls, made once and recorded."""

from collections.abc import Mapping, Sequence

from replan.graphs.cast import Scene
from replan.state.task import Check, CheckResult
from replan.tools.checks import run_checks

_RUN_CODE = ("tests_pass", "script_runs")


async def checked(
    where: Scene,
    checks: Sequence[Check],
    baseline: Mapping[str, str] | None = None,
    seconds: float = 60.0,
) -> list[CheckResult]:
    """The result of each check, in order.

    Args:
        where: the node's scene.
        checks: what to test.
        baseline: `Workspace.hashes()` as it was at the start of the run.
        seconds: time that each test run may take.
    """
    entry = None
    runs = next((check.kind for check in checks if check.kind in _RUN_CODE), "")
    if runs:
        # The files are part of the question: after an interruption they may be others.
        request = {
            "checks": [check.model_dump() for check in checks],
            "workspace": await where.workspace.digest(),
        }
        entry = await where.recording.begin("check", role="", name=runs, request=request)
        if entry is not None and entry.outcome == "ok":
            return [CheckResult.model_validate(one) for one in entry.response]
    results = await run_checks(
        checks, where.workspace, dict(baseline or {}), seconds, where.confinement
    )
    await where.recording.finish(entry, [result.model_dump() for result in results])
    return results
