"""The nodes that see the whole run: they map state to a role's request, and its result back."""

import asyncio
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any, cast

from langgraph.runtime import Runtime
from langgraph.types import Overwrite

from replan.graphs.cast import Cast, Scene
from replan.graphs.checked import checked
from replan.graphs.guard import avoided, judged, noted
from replan.graphs.history import keep_revision, must_be_there
from replan.graphs.joining import Joined, join
from replan.graphs.limits import OutOf, budget_of, held, limit_of, remaining_seconds
from replan.graphs.mentions import mentions
from replan.graphs.plan_faults import fault_of
from replan.graphs.rehearsal import as_rehearsal, was_rehearsed
from replan.graphs.state_view import brief_of, checks_of, progress_of, tasks_of
from replan.models.budget import NOTHING_LEFT
from replan.nodes import contract
from replan.nodes.decompose.none import DecomposeNot
from replan.nodes.named_files import (
    files_in_named_folders,
    files_meant,
    folders_to_make,
    named_files,
)
from replan.nodes.report.template import ReportByTemplate
from replan.nodes.review.checks import ReviewByChecks
from replan.nodes.skills.shapes import shapes_of
from replan.nodes.survey import TEXT, survey
from replan.state.agent_state import AgentState, merge_parts
from replan.state.context import Context
from replan.state.errors import ReplanError
from replan.state.goal import check_goal
from replan.state.settled_tasks import LESSON_CHARS, LESSONS
from replan.state.task import Check, CheckResult, Task
from replan.tools.bounds import storable
from replan.tools.mcp import close_servers
from replan.tools.workspace import Workspace

_CHECK_SECONDS = 60.0
_SHOWN_FILES = 3
_SHOWN_CHARS = 300
_BRINGING = ("read_file", "search_files", "search_documents", "web_search", "read_page")


class Cycle:
    """recall, decompose, plan, review, report, remember."""

    def __init__(self, cast: Cast) -> None:
        self._cast = cast

    async def recall(self, state: AgentState, runtime: Runtime[Context]) -> dict[str, Any]:
        """Look at the workspace, and recall what earlier runs with like goals learned."""
        goal = check_goal(state.get("goal"))
        where = await self._cast.first_scene(runtime)
        start = await shapes_of(where.workspace, goal, await where.workspace.files())
        request = contract.RecallRequest(goal=goal, start=start, tokens=where.context.recall_tokens)
        result, usage = await self._cast.play(
            "recall", request, where, budget_of({}, where.context)
        )
        kept = await keep_revision(where, state.get("revision", ""))
        shown = await _survey({**state, "goal": goal}, where.workspace)
        if kept.note:
            where.tell(event="note", what=kept.note)
            shown += f"\n{kept.note}"
        return {
            "goal": goal,
            "workspace": str(where.workspace.path),
            "revision": kept.revision,
            "survey": shown,
            "baseline": await where.workspace.hashes(),
            "start": start,
            **_recalled(result),
            # A thread may be given another goal: what the last one left is put away.
            "tasks": Overwrite({}),
            "checks": [],
            "replans": 0,
            "problem": "",
            "copies": Overwrite({}),
            "contenders": Overwrite({}),
            "usage": Overwrite(usage),
            "short": "",
            "moves": Overwrite({}),
            "progress": {},
            "status": "",
            "report": "",
            "artifacts": [],
        }

    async def decompose(self, state: AgentState, runtime: Runtime[Context]) -> AgentState:
        """Split the goal into tasks, and make its checks."""
        where = await self._cast.scene(state["workspace"], runtime)
        await must_be_there(where.workspace)
        existing = await where.workspace.files()
        plan_before = state.get("recalled_plan", {})
        request = contract.DecomposeRequest(
            brief=brief_of(state),
            existing=existing,
            named=await _named(state, where.workspace, existing),
            recalled=list(map(Task.model_validate, plan_before.get("tasks", []))),
            recalled_checks=list(map(Check.model_validate, plan_before.get("checks", []))),
            recipe=where.context.recipe,
        )
        budget = budget_of(state, where.context)
        result, usage = await self._cast.play("decompose", request, where, budget)
        short = ""
        if isinstance(result, OutOf):  # what needs no model is enough to resume from
            short, result = result.limit, await DecomposeNot()(request, None)
        for check in result.checks:
            if check.kind == "workspace_changed":
                check.text = await where.workspace.digest()
        return AgentState(
            tasks={task.id: task.model_dump() for task in result.tasks},
            checks=[check.model_dump() for check in result.checks],
            problem="",
            usage=usage,
            short=short,
            recalled_plan={},
        )

    async def plan(self, state: AgentState, runtime: Runtime[Context]) -> AgentState:
        """Order the tasks; after a failure, plan what is left in another way."""
        where = await self._cast.scene(state["workspace"], runtime)
        await must_be_there(where.workspace)
        problem = state.get("problem", "")
        request = contract.PlanRequest(
            brief=brief_of(state),
            tasks=tasks_of(state),
            checks=checks_of(state),
            problem=problem,
            existing=await where.workspace.files(),
            avoid=avoided(progress_of(state)),
        )
        budget = budget_of(state, where.context)
        result, usage = await self._cast.play("plan", request, where, budget)
        if isinstance(result, OutOf):
            return AgentState(usage=usage, short=result.limit)
        fault = fault_of(request.tasks, result.tasks, where.context.max_tasks)
        if fault:
            said = f"the plan of {where.context.plan!r} {fault}"
            where.tell(event="note", what=said)
            replans = state.get("replans", 0) + (1 if problem else 0)
            return AgentState(problem=said, replans=replans, usage=usage)
        # After a failure the files are no longer what the first survey showed.
        now = await _survey(state, where.workspace) if problem else state.get("survey", "")
        return AgentState(
            survey=now,
            tasks={task.id: task.model_dump() for task in result.tasks},
            replans=state.get("replans", 0) + (1 if problem else 0),
            problem="",
            usage=usage,
        )

    async def review(self, state: AgentState, runtime: Runtime[Context]) -> AgentState:
        """Join what was done side by side, and decide what happens next; when no task is open,
        check the goal itself.
        """
        where = await self._cast.scene(state["workspace"], runtime)
        await must_be_there(where.workspace)
        started = time.monotonic()
        joined = await join(state, where)
        tasks = joined.tasks
        evidence: list[CheckResult] = []
        if not any(task.status in ("open", "failed") for task in tasks):
            evidence = await _evidence(state, where)
        request = contract.ReviewRequest(
            goal=state["goal"],
            brief=brief_of(state),
            tasks=tasks,
            evidence=evidence,
            usage=state.get("usage", {}),
            replans=state.get("replans", 0),
            max_replans=where.context.max_replans,
            max_attempts=where.context.max_attempts,
            limit=limit_of(state, where.context),
        )
        checking = time.monotonic() - started
        budget = budget_of(state, where.context)
        result, usage = await self._cast.play("review", request, where, budget)
        if isinstance(result, OutOf):  # what needs no model decides
            request.limit = request.limit or limit_of({"short": result.limit}, where.context)
            result = await ReviewByChecks()(request, None)
        usage["seconds"] += checking
        if state.get("problem"):  # what was planned cannot be worked on
            result = contract.ReviewResult(decision="replan", reason=state["problem"])
        if joined.told:
            result = _told(result, joined.told)
        decided = _decided(result, request, state, where.context)
        decided["usage"] = usage
        decided.update(joined.update())  # type: ignore[typeddict-item]
        if decided["decision"] != "next":
            decided.update(await _last_join(state, joined, decided, where))
        return decided

    async def report(self, state: AgentState, runtime: Runtime[Context]) -> AgentState:
        """Tell the user what was reached."""
        where = await self._cast.scene(state["workspace"], runtime)
        await must_be_there(where.workspace)
        decision = state["decision"]
        status = decision if decision in ("done", "stopped") else "failed"
        artifacts = await artifacts_of(state, where.workspace)
        started = time.monotonic()
        request = contract.ReportRequest(
            brief=brief_of(state),
            status=status,
            reason=state.get("reason", ""),
            tasks=tasks_of(state),
            evidence=await _evidence(state, where),
            artifacts=[artifact["path"] for artifact in artifacts],
            shown=await _shown([artifact["path"] for artifact in artifacts], where.workspace),
        )
        checking = time.monotonic() - started
        # A run that was stopped asks nothing more.
        budget = NOTHING_LEFT if status == "stopped" else budget_of(state, where.context)
        result, usage = await self._cast.play("report", request, where, budget)
        if isinstance(result, OutOf):
            result = await ReportByTemplate()(request, None)
        usage["seconds"] += checking
        return AgentState(status=status, report=result.report, artifacts=artifacts, usage=usage)

    async def remember(self, state: AgentState, runtime: Runtime[Context]) -> AgentState:
        """Keep what was learned, and end the run's MCP servers."""
        where = await self._cast.scene(state["workspace"], runtime)
        if was_rehearsed(tasks_of(state)):  # what was not done teaches nothing
            await close_servers(where.thread_id)
            return AgentState()
        request = contract.RememberRequest(
            goal=state["goal"],
            status=state["status"],
            report=state["report"],
            tasks=tasks_of(state),
            checks=checks_of(state),
            start=state.get("start", {}),
            lessons=lessons(tasks_of(state)),
            seen=seen(tasks_of(state)),
        )
        budget = budget_of(state, where.context)
        result, usage = await self._cast.play(
            "remember", request, where, replace(budget, seconds=None)
        )
        await close_servers(where.agent)
        return AgentState(usage=usage, memories={"learned": mentions(result)})


def _recalled(result: contract.RecallResult | OutOf) -> dict[str, Any]:
    """What the state keeps of what was recalled: a replay, and a fork, see the same."""
    if isinstance(result, OutOf):
        result = contract.RecallResult()
    plan = {
        "tasks": [task.model_dump() for task in result.tasks],
        "checks": [check.model_dump() for check in result.checks],
    }
    return {
        "recalled": result.memories,
        "recalled_plan": plan if result.tasks else {},
        "memories": Overwrite({"recalled": mentions(result), "learned": []}),
    }


def _told(result: contract.ReviewResult, conflicts: str) -> contract.ReviewResult:
    """Whoever reviews, a conflict is a reason to plan anew."""
    decision = "replan" if result.decision in ("next", "done") else result.decision
    reason = result.reason if conflicts in result.reason else f"{result.reason} {conflicts}"
    return contract.ReviewResult(decision=decision, reason=reason.strip())


async def _last_join(
    state: AgentState, joined: Joined, decided: AgentState, where: Scene
) -> AgentState:
    """What comes of the copies of tasks that do not go on: nothing of it is lost."""
    left = merge_parts(state.get("copies"), joined.copies)
    if not left:
        return AgentState()
    now = {task.id: task.model_dump() for task in joined.tasks}
    contenders = merge_parts(state.get("contenders"), joined.contenders)
    rest = await join(
        {**state, "tasks": now, "copies": left, "contenders": contenders}, where, over=True
    )
    said: dict[str, Any] = rest.update()
    said["tasks"] = {**decided.get("tasks", {}), **said.get("tasks", {})}
    said["copies"] = {**decided.get("copies", {}), **said.get("copies", {})}
    said["contenders"] = {**decided.get("contenders", {}), **said.get("contenders", {})}
    if rest.told:
        said["reason"] = f"{decided.get('reason', '')} {rest.told}".strip()
        said["problem"] = said["reason"] if decided["decision"] == "replan" else ""
    return cast("AgentState", said)


def _decided(
    result: contract.ReviewResult,
    request: contract.ReviewRequest,
    state: AgentState,
    context: Context,
) -> AgentState:
    """The decision, within the limits and past the guard, as the state keeps it."""
    moves = [move for _, move in sorted(state.get("moves", {}).items())]
    known = noted(progress_of(state), moves)
    decision, reason = held(result.decision, result.reason, request.limit, request.replans, context)
    decision, reason = as_rehearsal(decision, reason, request.tasks)
    judgement = judged(decision, reason, known, request.replans, context.max_replans)
    return AgentState(
        decision=judgement.decision,
        reason=judgement.reason,
        # What kept a plan from being worked on is there until there is another plan.
        problem=judgement.reason if judgement.decision == "replan" else state.get("problem", ""),
        progress=dict(judgement.progress),
        moves=Overwrite({}),  # type: ignore[typeddict-item]
    )


async def _survey(state: AgentState, workspace: Workspace) -> str:
    existing = await workspace.files()
    named = _asked_for(state, existing)
    # A question is answered by what was read for it, and cites that; who writes needs it at once.
    writes = any(path not in existing for path in named)
    meant = files_meant(state["goal"], existing) if writes else []
    folders = files_in_named_folders(state["goal"], existing)
    shown = list(dict.fromkeys([*meant, *folders]))
    to_make = folders_to_make(state["goal"], existing)
    missing = await asyncio.to_thread(
        lambda: [folder for folder in to_make if not (workspace.path / folder).exists()]
    )
    return await survey(workspace, named, shown, state["goal"], missing, nearest=writes)


def _asked_for(state: AgentState, existing: list[str]) -> list[str]:
    """The files to look at first, and those that the goal names."""
    named = [*state.get("files", []), *named_files(state["goal"], existing)]
    return list(dict.fromkeys(named))


async def _named(state: AgentState, workspace: Workspace, existing: list[str]) -> list[str]:
    """Files that the goal names, and those that a short text named by the goal names."""
    named = _asked_for(state, existing)
    for path in list(named):
        if path in existing and path.endswith((".md", ".txt", ".rst")):
            text = await workspace.read_text(path, 6000)
            named += named_files(text, existing)
    return list(dict.fromkeys(named))


async def _evidence(state: AgentState, where: Scene) -> list[CheckResult]:
    baseline = state.get("baseline", {})
    seconds = min(_CHECK_SECONDS, remaining_seconds(state.get("usage", {}), where.context))
    return await checked(where, checks_of(state), baseline, seconds)


async def artifacts_of(state: Mapping[str, Any], workspace: Workspace) -> list[dict[str, Any]]:
    """What the run created or changed."""
    before = state.get("baseline", {})
    now = await workspace.hashes()
    return [
        {"path": path, "sha256": sha256, "change": "changed" if path in before else "created"}
        for path, sha256 in now.items()
        if before.get(path) != sha256
    ]


async def _shown(paths: list[str], workspace: Workspace) -> dict[str, str]:
    """How the first text files that the run wrote begin: what a report may say of them."""
    shown = {}
    for path in [path for path in paths if path.endswith(TEXT)][:_SHOWN_FILES]:
        with suppress(ReplanError):  # removed by the run, or not to be read
            text = storable(await workspace.read_text(path, _SHOWN_CHARS + 1)).strip()
            cut = " ..." if len(text) > _SHOWN_CHARS else ""
            shown[path] = text[:_SHOWN_CHARS] + cut
    return shown


def seen(tasks: list[Task]) -> list[str]:
    """What the tools brought from files and from outside, three texts of at most 400 letters."""
    brought = [
        f"{attempt.action.tool}: {attempt.observation.text.strip()[:400]}"
        for task in tasks
        for attempt in task.attempts
        if attempt.action.tool in _BRINGING and attempt.observation.ok
    ]
    return list(dict.fromkeys(brought))[:3]


def lessons(tasks: list[Task]) -> list[str]:
    """What went wrong on the way, a few lines; settled tasks keep as many."""
    wrong = [
        f"{attempt.action.tool}: {attempt.reason}"[:LESSON_CHARS]
        for task in tasks
        for attempt in task.attempts
        if attempt.verdict == "retry" and attempt.reason
    ]
    return list(dict.fromkeys(wrong))[:LESSONS]
