"""The nodes of one dispatched task: select_tool, execute, reflect."""

import hashlib
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

from langgraph.runtime import Runtime
from langgraph.types import Command, Send

from replan.graphs.approval import Cleared, cleared, why_ask
from replan.graphs.cast import Cast, Scene
from replan.graphs.checked import checked
from replan.graphs.guard import move_of
from replan.graphs.history import keep_revision, must_be_there
from replan.graphs.limits import OutOf, after, budget_of_branch, calls_left, short_of
from replan.graphs.remembering import recall_for_task, remember_task, without_memories
from replan.graphs.state_view import brief_of
from replan.models.budget import LEAST_SECONDS
from replan.nodes import contract
from replan.nodes.look_ups import LOOKING, found_by
from replan.nodes.references import filled_arguments
from replan.nodes.reflect.checks import REHEARSED, by_evidence
from replan.state.agent_state import TaskBranch
from replan.state.context import Context
from replan.state.errors import ReplanError
from replan.state.task import KEPT_CHARS, Action, Attempt, CheckResult, Observation, Task
from replan.state.usage import Usage, add_usage
from replan.tools.bounds import encodable, storable
from replan.tools.protocol import ServerEndedError
from replan.tools.sandbox.sessions import SESSIONS
from replan.tools.tables.query_tables import MOST_QUERIES, QueryTables
from replan.tools.toolbox import Toolbox
from replan.tools.workspace import Workspace

_CHECK_SECONDS = 60.0
_KEPT_ATTEMPTS = 3
_SHOWN_CHARS = 1500
_WARMER = 0.4
_MOST_SOURCES = 20
_MOST_FOUND = 8
_FOUND_CHARS = 500


class Branch:
    """One round of work on one task. Each node hands its payload to the next by `Send`."""

    def __init__(self, cast: Cast) -> None:
        self._cast = cast

    async def select_tool(
        self, state: TaskBranch, runtime: Runtime[Context]
    ) -> Command[Literal["execute", "review"]]:
        """Choose the next tool call of the task."""
        where, apart = await self._cast.scene_of_branch(state, runtime)
        contender = state.get("contender", 0)
        if contender > 1 and apart is None:  # Without a folder of its own, one attempt is made.
            return Command(goto="review")
        state = _in_copy(state, apart)
        await must_be_there(where.workspace)
        task = Task.model_validate(state["task"])
        started = time.monotonic()
        tools = await self._cast.toolbox(where, state["goal"])
        if not task.rounds:
            task.before = await _checked(task, where, state)
            task.calls = await _filled(task, state.get("results", {}), tools)
        budget = budget_of_branch(state)
        named, spent = await recall_for_task(self._cast, task, state, where, budget, tools)
        if contender > 1:  # What is given is for the first: the others go other ways.
            task.calls, task.followed = [], ""
        preparing = time.monotonic() - started
        request = contract.SelectToolRequest(
            brief=brief_of(state),
            task=task,
            contender=contender,
            earlier=[*state["earlier"], *await _code(state["made"], where.workspace)],
            existing=await where.workspace.files(),
            protected=state["protected"],
            avoid=state.get("avoid", []),
        )
        where.tell(event="task", task=task.id, title=task.headline, round=task.rounds)
        budget = budget_of_branch(after(state, Usage(seconds=preparing)))
        result, usage = await self._cast.play(
            "select_tool", request, where, budget, tools, warmth_of(contender)
        )
        usage = add_usage(usage, Usage(**{**spent, "seconds": preparing}))
        if isinstance(result, OutOf):
            return _no_further(state, usage, result, apart)
        action = Action(**encodable(result.action.model_dump()))
        where.tell(event="action", task=task.id, **action.model_dump())
        payload = TaskBranch(
            **{
                **after(state, usage),
                "task": task.model_dump(),
                "action": action.model_dump(),
                "asked": await why_ask(action, tools),
            }
        )
        if payload["remaining_seconds"] < LEAST_SECONDS:
            return _no_further(state, usage, OutOf("max_seconds"), apart)
        update: dict[str, Any] = {"usage": usage, **_noted(state, apart)}
        if named:
            update["memories"] = {"recalled": named}
        return Command(update=update, goto=Send("execute", payload))

    async def execute(
        self, state: TaskBranch, runtime: Runtime[Context]
    ) -> Command[Literal["reflect"]]:
        """Carry the call out, unless it is one that was made before, or a person says no.

        Up to the person's answer the node does nothing but look: the answer re-executes it.
        """
        where, apart = await self._cast.scene_of_branch(state, runtime)
        await must_be_there(where.workspace)
        task = Task.model_validate(state["task"])
        action = Action.model_validate(state["action"])
        digest = await where.workspace.digest()
        toolbox = await self._cast.toolbox(where, state["goal"])
        fingerprint = toolbox.fingerprint(action, digest)
        usage = Usage()
        if any(_same_again(attempt, fingerprint) for attempt in task.attempts):
            observation = repeated(task, fingerprint)
        else:
            why = ""
            if not self._cast.rehearses(where):
                why = state.get("asked") or await why_ask(action, toolbox)
            # Without a thread nothing could wait for the answer: the toolbox refuses then.
            can_ask = bool(where.thread_id)
            call = Cleared(action)
            if why and can_ask:
                call = await cleared(action, toolbox, task, why, where.recording)
            action = call.action
            fingerprint = toolbox.fingerprint(action, digest)
            if call.observation is not None:
                observation = call.observation
            else:
                if call.approved:
                    toolbox = toolbox.agreed_to(action)
                observation, usage = await self._carry_out(action, state, where, toolbox)
        kept = await keep_revision(where, apart["revision"] if apart else state["revision"])
        observation = kept.told(observation)
        usage["steps"] = 1 + observation.calls
        where.tell(event="observation", task=task.id, **observation.model_dump())
        if apart:
            apart["revision"] = kept.revision
        payload = TaskBranch(
            **{
                **after(_in_copy(state, apart), usage),
                "action": action.model_dump(),
                "fingerprint": fingerprint,
                "observation": observation.model_dump(),
            }
        )
        left = _noted(state, apart) or {"revision": kept.revision}
        update = {"usage": usage, **left}
        return Command(update=update, goto=Send("reflect", payload))

    async def _carry_out(
        self, action: Action, state: TaskBranch, where: Scene, toolbox: Toolbox
    ) -> tuple[Observation, Usage]:
        request = contract.ExecuteRequest(
            action=action,
            protected=state["protected"],
            only_removes=state.get("only_removes", False),
            seconds=min(where.context.max_call_seconds, max(1.0, state["remaining_seconds"])),
            calls=calls_left(state),
        )
        # Its seconds bound the call, which has to tell how it ended.
        budget = replace(budget_of_branch(state), seconds=None)
        result, usage = await self._cast.play("execute", request, where, budget, toolbox)
        if isinstance(result, OutOf):
            seen = Observation(
                ok=False, error=f"{result.limit} left no room for it", reason="limit"
            )
            return seen, usage
        usage["tool_seconds"] = result.observation.seconds
        # Taken from the record, it counts as it did.
        usage["seconds"] = max(usage["seconds"], result.observation.seconds)
        return result.observation, usage

    async def reflect(self, state: TaskBranch, runtime: Runtime[Context]) -> dict[str, Any]:
        """Judge what came back, by the task's checks first."""
        where, apart = await self._cast.scene_of_branch(state, runtime)
        task = Task.model_validate(state["task"])
        action = Action.model_validate(state["action"])
        observation = Observation.model_validate(state["observation"])
        started = time.monotonic()
        evidence = await _checked(task, where, state)
        checking = time.monotonic() - started
        request = contract.ReflectRequest(
            brief=brief_of(state),
            task=task,
            action=action,
            observation=observation,
            evidence=evidence,
            existing=await where.workspace.files(),
        )
        budget = budget_of_branch(after(state, Usage(seconds=checking)))
        tools = await self._cast.toolbox(where, state["goal"])
        result, usage = await self._cast.play("reflect", request, where, budget, tools)
        update: dict[str, Any] = {"usage": usage}
        if isinstance(result, OutOf):  # what was done is kept, as far as it can be judged
            update["short"] = short_of(state, result)
            result = by_evidence(request) or contract.ReflectResult(
                verdict="continue", reason="a limit of the run left no room to judge it"
            )
        contends = bool(state.get("contender")) and apart is not None
        attempt = Attempt(
            action=_bounded(action),
            fingerprint=state["fingerprint"],
            observation=observation,
            evidence=evidence,
            verdict=result.verdict,
            reason=result.reason,
            lesson=result.lesson,
            files=await _made(task, where.workspace) if contends and observation.changed else "",
        )
        judged = after_attempt(task, attempt, where.context.max_attempts)
        # Of attempts side by side, what a lost one has to teach is in the task that stands for all.
        if judged.status == "done" or (judged.status == "failed" and not contends):
            left = budget_of_branch(after(state, usage))
            if not judged.rehearsed:  # what was not done teaches nothing
                named, spent = await remember_task(self._cast, judged, state, where, left, tools)
                usage = update["usage"] = add_usage(usage, spent)
                update["memories"] = {"learned": named}
            judged = without_memories(judged)
            await SESSIONS.close(f"{where.agent}/{task.id}")
        where.tell(
            event="verdict",
            task=task.id,
            verdict=attempt.verdict,
            reason=attempt.reason,
            status=judged.status,
        )
        usage["seconds"] += checking
        usage["tool_seconds"] = checking
        files = await where.workspace.digest() if observation.changed else ""
        if not action.unasked:  # such looks are few, and no sign of going in circles
            update["moves"] = {judged.id: move_of(attempt, files, judged.status == "done")}
        if contends:
            return {**update, "contenders": {state["branch"]: judged.model_dump()}}
        return {**update, "tasks": {judged.id: judged.model_dump()}}


async def _filled(task: Task, results: dict[str, str], tools: Toolbox) -> list[Action]:
    """The planned calls with what they refer to of earlier results; into code nothing is put."""
    existing = await tools.workspace.files() if results and task.calls else []
    calls = []
    for call in task.calls:
        known = {tool.name: tool for tool in tools.tools()}.get(call.tool)
        code = known.content if known and getattr(known, "runs_code", False) else None
        args = filled_arguments(call.args, results, existing, code)
        calls.append(call.model_copy(update={"args": args}))
    return calls


def _no_further(
    state: TaskBranch, usage: Usage, out_of: OutOf, apart: dict[str, str] | None
) -> Command[Any]:
    """To review, which ends the run by the limit, or goes on with one branch at a time."""
    update = {"usage": usage, "short": short_of(state, out_of), **_noted(state, apart)}
    return Command(update=update, goto="review")


def _in_copy(state: TaskBranch, apart: dict[str, str] | None) -> TaskBranch:
    """The branch with the revisions of the copy that it works in, if it works in one."""
    there = state.copy()
    there.pop("apart", None)
    if apart:
        there["apart"] = dict(apart)
    return there


def _noted(state: TaskBranch, apart: dict[str, str] | None) -> dict[str, Any]:
    """What the state is told of the branch's copy."""
    return {"copies": {state["branch"]: dict(apart)}} if apart else {}


def warmth_of(contender: int) -> float:
    """The least temperature of an attempt: at 0, those side by side would all say the same."""
    return min(1.0, _WARMER * max(0, contender - 1))


async def _made(task: Task, workspace: Workspace) -> str:
    """Digest of what the task is to write, or else of all files."""
    if not task.writes:
        return await workspace.digest()
    hashes = [await workspace.hash(path) for path in task.writes]
    return hashlib.sha256("\0".join(hashes).encode()).hexdigest()


async def _checked(task: Task, where: Scene, state: TaskBranch) -> list[CheckResult]:
    """What the task's checks find, within the time that is left."""
    seconds = min(_CHECK_SECONDS, max(1.0, state["remaining_seconds"]))
    return await checked(where, task.checks, seconds=seconds)


async def _code(paths: list[str], workspace: Workspace) -> list[str]:
    """The code that earlier tasks wrote: what is written next has to fit it."""
    shown = []
    for path in paths:
        try:
            text = await workspace.read_text(path, _SHOWN_CHARS)
        except ReplanError:  # gone again
            continue
        shown.append(f"{path} holds now:\n{storable(text).rstrip()}")
    return shown


def after_attempt(task: Task, attempt: Attempt, max_attempts: int) -> Task:
    """The task as it is after one more attempt."""
    failed = attempt.verdict == "retry"
    of_earlier_run = bool(task.followed) and task.rounds < len(task.calls)
    # The first way of two: the other has all its tries.
    queries = sum(one.action.tool == QueryTables.name for one in task.attempts)
    is_query = attempt.action.tool == QueryTables.name and queries < MOST_QUERIES
    tries = task.tries + (failed and not of_earlier_run and not is_query)
    done = attempt.verdict == "done"
    status = "done" if done else "failed" if tries >= max_attempts else "open"
    return task.model_copy(
        update={
            "tries": tries,
            "rounds": task.rounds + 1,
            "calls": [] if failed else task.calls,
            "status": status,
            "attempts": _latest([*task.attempts, attempt]),
            "result": attempt.observation.text[:600] if done else task.result,
            "rehearsed": attempt.observation.reason == REHEARSED,
            "sources": _more_sources(task, attempt.observation),
            "found": _more_found(task, attempt),
        }
    )


def _latest(attempts: Sequence[Attempt]) -> list[Attempt]:
    """The latest few, and before them the looks that nobody was asked for: they are few, and what
    they brought is what the others go by.
    """
    looks = [one for one in attempts if one.action.unasked][:_MOST_FOUND]
    return [*looks, *[one for one in attempts if not one.action.unasked][-_KEPT_ATTEMPTS:]]


def _more_sources(task: Task, seen: Observation) -> list[str]:
    """Where the task's calls brought something from, each once."""
    brought = [source.line for source in seen.sources]
    return list(dict.fromkeys([*task.sources, *brought]))[:_MOST_SOURCES]


def _more_found(task: Task, attempt: Attempt) -> list[str]:
    """What the task's look-ups brought: of attempts only the latest are kept."""
    seen, action = attempt.observation, attempt.action
    if action.tool not in LOOKING or not seen.ok or not seen.text.strip():
        return task.found
    return [*task.found, found_by(action, seen.text.strip()[:_FOUND_CHARS])][-_MOST_FOUND:]


def _same_again(attempt: Attempt, fingerprint: str) -> bool:
    """Whether the call was made, and would do the same again: a server that ended may not."""
    ended = attempt.observation.reason == ServerEndedError.reason
    return attempt.fingerprint == fingerprint and not ended


def repeated(task: Task, fingerprint: str) -> Observation:
    """What is observed in place of a call that was made before on the same files."""
    earlier = next(one for one in task.attempts if one.fingerprint == fingerprint)
    outcome = earlier.observation.error or earlier.observation.text
    return Observation(
        ok=False,
        repeated=True,
        error="You made this very call before and nothing has changed since, so it was not made "
        f"again. It gave: {outcome[:400]}",
    )


def _bounded(action: Action) -> Action:
    """The action with long arguments cut: the checkpoint keeps what a prompt would show."""
    args = {
        name: value[:KEPT_CHARS] if isinstance(value, str) else value
        for name, value in action.args.items()
    }
    return action.model_copy(update={"args": args})
