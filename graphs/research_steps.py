"""The nodes of the research report."""

import asyncio
import time
from collections.abc import Awaitable, Sequence
from typing import Any, TypeVar

from langgraph.runtime import Runtime
from langgraph.types import Command, Overwrite, Send

from replan.graphs.cast import Cast
from replan.graphs.history import keep_revision, must_be_there
from replan.graphs.limits import limit_of, limit_reached, share_of
from replan.graphs.task import TaskGraph
from replan.models.asking import Asker
from replan.models.budget import Budget
from replan.nodes.research.checking import checked_claims
from replan.nodes.research.claims import claims_of
from replan.nodes.research.gathering import DOCUMENTS, searches, sources_of
from replan.nodes.research.outline import outline
from replan.nodes.research.passages import passages
from replan.nodes.research.writing import written
from replan.state.context import Context
from replan.state.errors import LimitReachedError, ModelAnswerError, UsageError
from replan.state.goal import check_goal
from replan.state.research import Claim, Found, ResearchState, Section, SectionBranch
from replan.state.task import Action, Attempt, Source
from replan.state.usage import Usage, add_usage
from replan.tools.documents.parser_process import ParserProcess
from replan.tools.documents.whole_text import documents_folder, whole_text
from replan.tools.mcp import close_servers
from replan.tools.workspace import Workspace

T = TypeVar("T")

_STEPS = 4  # calls that a section's agent may make
_REPORT = "report"
_NOTHING = "no source holds anything about the goal"


class Research:
    """outline, gather, claim, merge, check, write.

    Args:
        cast: opens the model and the tools.
        gatherer: the graph of one task's cycle that gathers a section's sources.
    """

    def __init__(self, cast: Cast, gatherer: TaskGraph) -> None:
        self._cast = cast
        self._gatherer = gatherer

    async def outline(self, state: ResearchState, runtime: Runtime[Context]) -> dict[str, Any]:
        """Open the workspace, look at what is there, and plan the sections.

        Raises:
            UsageError: there is nothing to search in.
        """
        goal = check_goal(state.get("goal"))
        where = await self._cast.first_scene(runtime)
        started = time.monotonic()
        tools = await self._cast.toolbox(where, goal)
        there = await searches(tools)
        if not there:
            raise UsageError(
                "there is nothing to search in.",
                "Give --documents DIR, or set TAVILY_API_KEY, SEARXNG_URL or REPLAN_SEARCH.",
            )
        known: list[Source] = []
        if DOCUMENTS in there:  # they stay here: a first look costs nothing and asks nobody
            look = Action(tool=DOCUMENTS, args={"query": goal[:400]})
            known = (await tools.call(look, where.context.max_call_seconds)).sources
        budget = _left({}, where.context)
        model = await self._cast.asker("outline", where, budget)
        short, title, sections = "", goal, list[Section]()
        try:
            title, sections = await _within(
                budget, outline(goal, state.get("constraints", []), known, model)
            )
        except LimitReachedError as error:
            short = error.limit
        kept = await keep_revision(where, state.get("revision", ""))
        for section in sections:
            where.tell(event="section", section=section.id, heading=section.heading)
        return {
            "goal": goal,
            "workspace": str(where.workspace.path),
            "revision": kept.revision,
            "title": title,
            "sections": [section.model_dump() for section in sections],
            "short": short,
            "usage": Overwrite(_used(model, started)),
            # A thread may be given another goal: what the last one left is put away.
            "found": Overwrite({}),
            "claims": [],
            "dropped": [],
            "citations": [],
            "artifacts": [],
            "report": "",
            "status": "",
            "reason": "",
        }

    async def gather(self, state: SectionBranch, runtime: Runtime[Context]) -> Command[Any]:
        """Have an agent of its own find the section's sources."""
        where = await self._cast.scene(state["workspace"], runtime)
        section = Section.model_validate(state["section"])
        info = runtime.execution_info
        where.tell(event="gather", section=section.id, namespace=info.checkpoint_ns if info else "")
        done = await self._gatherer.ainvoke(
            {"goal": state["goal"], "task": section.question},
            context=_for_section(where.context, state),
        )
        found = sources_of(map(Attempt.model_validate, done["attempts"]))
        payload = SectionBranch(
            **{
                **_after(state, done["usage"]),
                "status": done["status"],
                "reason": done["reason"],
                "sources": [source.model_dump() for source in found],
            }
        )
        return Command(update={"usage": done["usage"]}, goto=Send("claim", payload))

    async def claim(self, state: SectionBranch, runtime: Runtime[Context]) -> dict[str, Any]:
        """Have the model say what the section's sources say."""
        where = await self._cast.scene(state["workspace"], runtime)
        started = time.monotonic()
        section = Section.model_validate(state["section"])
        sources = [Source.model_validate(source) for source in state["sources"]]
        chosen = passages(sources, section.question)
        budget = _share(state)
        model = await self._cast.asker(f"claim {section.id}", where, budget)
        found = Found(status=state["status"], reason=state["reason"])
        if chosen:
            try:
                asked = claims_of(state["goal"], section, chosen, model)
                found.claims = await _within(budget, asked)
                found.status, found.reason = "done", ""
            except LimitReachedError as error:
                # Of this section's share: the others have theirs.
                found.status, found.reason = "stopped", error.what
            except ModelAnswerError as error:
                found.status, found.reason = "failed", error.what
        where.tell(event="claims", section=section.id, claims=len(found.claims))
        return {
            "found": {section.id: found.model_dump()},
            "usage": _used(model, started),
        }

    async def merge(self, state: ResearchState, runtime: Runtime[Context]) -> dict[str, Any]:
        """Put the claims of the sections that are done one after another."""
        claims = [
            claim
            for section in sections_of(state)
            for claim in state.get("found", {}).get(section.id, {}).get("claims", [])
        ]
        return {"claims": claims}

    async def check(self, state: ResearchState, runtime: Runtime[Context]) -> dict[str, Any]:
        """Hold each claim against its source, a document as it is now."""
        where = await self._cast.scene(state["workspace"], runtime)
        started = time.monotonic()
        folder = documents_folder(where.context.documents)
        claims = [Claim.model_validate(claim) for claim in state.get("claims", [])]
        async with ParserProcess() as parser:

            async def text_of(source: Source) -> str:
                if source.kind != "document":
                    return source.text
                return await whole_text(folder, source.name, parser)

            held, dropped = await checked_claims(claims, text_of)
        where.tell(event="checked", held=len(held), dropped=len(dropped))
        return {
            "claims": [claim.model_dump() for claim in held],
            "dropped": [claim.model_dump() for claim in dropped],
            "usage": Usage(seconds=time.monotonic() - started),
        }

    async def write(self, state: ResearchState, runtime: Runtime[Context]) -> dict[str, Any]:
        """Write the report from the claims that hold, to a file of the workspace too."""
        where = await self._cast.scene(state["workspace"], runtime)
        await must_be_there(where.workspace)
        claims = [Claim.model_validate(claim) for claim in state.get("claims", [])]
        dropped = state.get("dropped", [])
        sections = sections_of(state)
        report, citations = written(state["goal"], state["title"], sections, claims, len(dropped))
        status, reason = ended(state, where.context)
        path = await _free_name(where.workspace, report)
        await where.workspace.write_text(path, report)
        await close_servers(where.agent)
        kept = await keep_revision(where, state.get("revision", ""))
        hashes = await where.workspace.hashes()
        return {
            "status": status,
            "reason": reason,
            "report": report,
            "citations": [citation.model_dump() for citation in citations],
            "artifacts": [{"path": path, "sha256": hashes.get(path, ""), "change": "created"}],
            "revision": kept.revision,
        }


def sections_of(state: ResearchState) -> list[Section]:
    """The outline."""
    return [Section.model_validate(section) for section in state.get("sections", [])]


def dispatch(state: ResearchState, context: Context) -> list[Send] | str:
    """The sections that come next, side by side as many as may be; `check` when none is left, or
    nothing to work on them with.
    """
    done = state.get("found", {})
    left = [section for section in sections_of(state) if section.id not in done]
    if not left or limit_of(state, context):
        return "check"
    now = left[: context.max_parallel]
    steps = context.max_steps - state.get("usage", {}).get("steps", 0)
    share = share_of(_limits_only(state), context, len(left))
    return [
        Send(
            "gather",
            SectionBranch(
                goal=state["goal"],
                constraints=state.get("constraints", []),
                workspace=state["workspace"],
                revision=state.get("revision", ""),
                section=section.model_dump(),
                remaining_seconds=share["remaining_seconds"],
                remaining_tokens=share["remaining_tokens"],
                remaining_dollars=share["remaining_dollars"],
                remaining_steps=max(1, min(_STEPS, steps // len(left))),
            ),
        )
        for section in now
    ]


def ended(state: ResearchState, context: Context) -> tuple[str, str]:
    """How the research ended, and why where it is not done."""
    unfinished = len(state.get("sections", [])) > len(state.get("found", {}))
    found: Sequence[dict[str, Any]] = list(state.get("found", {}).values())
    if state.get("short") or unfinished or any(one["status"] == "stopped" for one in found):
        reached = limit_reached(state.get("usage", {}), context) or limit_of(state, context)
        reasons = [one["reason"] for one in found if one["status"] == "stopped"]
        return "stopped", reached or next(iter(reasons), "a limit was reached")
    if not state.get("claims"):
        why = [one["reason"] for one in found if one["reason"]]
        return "failed", next(iter(why), _NOTHING)
    return "done", ""


def _for_section(context: Context, state: SectionBranch) -> Context:
    """What a section's agent is told: its share of the limits, and a folder of its own. What it
    finds is for this report: nothing is recalled or remembered.
    """
    tokens, dollars = state.get("remaining_tokens"), state.get("remaining_dollars")
    return context.model_copy(
        update={
            "workspace": "",
            "recall": "none",
            "remember": "none",
            "max_steps": state["remaining_steps"],
            "max_seconds": max(1, int(state["remaining_seconds"])),
            "max_tokens": 0 if tokens is None else max(1, tokens),
            "max_cost": 0.0 if dollars is None else max(1e-9, dollars),
        }
    )


def _after(state: SectionBranch, usage: Usage) -> SectionBranch:
    """The branch with what its agent left of its share."""
    tokens, dollars = state.get("remaining_tokens"), state.get("remaining_dollars")
    used = usage.get("input_tokens", 0) + usage.get("output_tokens", 0)
    left = state.copy()
    left["remaining_seconds"] = max(0.0, state["remaining_seconds"] - usage.get("seconds", 0.0))
    left["remaining_tokens"] = None if tokens is None else tokens - used
    left["remaining_dollars"] = None if dollars is None else dollars - (usage.get("cost_usd") or 0)
    return left


def _share(state: SectionBranch) -> Budget:
    return Budget(
        tokens=state.get("remaining_tokens"),
        dollars=state.get("remaining_dollars"),
        seconds=state["remaining_seconds"],
    )


def _left(usage: Usage, context: Context) -> Budget:
    share = share_of({"usage": usage}, context, 1)
    return Budget(share["remaining_tokens"], share["remaining_dollars"], share["remaining_seconds"])


def _limits_only(state: ResearchState) -> Any:
    return {"usage": state.get("usage", {}), "short": state.get("short", "")}


async def _within(budget: Budget, work: Awaitable[T]) -> T:
    """The work's result, if it comes within the budget's seconds.

    Raises:
        LimitReachedError: it does not.
    """
    try:
        async with asyncio.timeout(budget.seconds):
            return await work
    except TimeoutError as error:
        raise LimitReachedError("max_seconds") from error


def _used(model: Asker, started: float) -> Usage:
    return add_usage(model.usage, Usage(seconds=time.monotonic() - started))


async def _free_name(workspace: Workspace, report: str) -> str:
    """The report's path: one that no file has yet, or that of the same report, which a run wrote
    that was interrupted right then.
    """
    there = set(await workspace.files())
    number = 1
    while True:
        path = f"{_REPORT}-{number}.md" if number > 1 else f"{_REPORT}.md"
        if path not in there or await workspace.read_text(path, len(report) + 1) == report:
            return path
        number += 1
