"""A run at the command line: model, database, thread lock, graph, and the view of it."""

import asyncio
import gc
import json
import logging
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Literal

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import Command, Interrupt, StateSnapshot

from replan.cli.settle import context_from
from replan.cli.view import View, open_view
from replan.graphs.guard import taken_up
from replan.graphs.known import AGENT, GRAPH_KEY, RESEARCH, build, must_be_known, name_of
from replan.graphs.limits import limit_of, still_short
from replan.graphs.rehearsal import in_earnest
from replan.graphs.state_view import progress_of
from replan.graphs.strategies import with_strategy
from replan.models.chat import open_chat_model, preflight, require_price
from replan.models.embeddings import choose_embedder
from replan.state.agent_state import AgentState
from replan.state.context import Context
from replan.state.errors import ThreadNotFoundError, UsageError
from replan.state.usage import Usage
from replan.storage.database import Database, open_database
from replan.storage.persistence import Persistence, open_persistence
from replan.storage.thread_lock import thread_lock
from replan.tools.mcp import close_servers
from replan.tools.workspace import open_workspace

_CONTEXT_KEY = "replan_context"
_RECURSION_LIMIT = 10_000
_STREAMED: list[Literal["custom", "updates"]] = ["custom", "updates"]


Graph = CompiledStateGraph[Any, Any, Any, Any]


class Session:
    """One thread, locked for this process: of the agent."""

    name = AGENT
    state: type = AgentState

    def __init__(
        self,
        graph: Graph,
        thread_id: str,
        context: Context,
        view: View,
        kept: Persistence,
    ) -> None:
        self.graph = graph
        self.kept = kept
        self.thread_id = thread_id
        self.context = context
        self.view = view

    @property
    def config(self) -> RunnableConfig:
        """Names the thread; the run's settings go into the metadata of its checkpoints."""
        kept = json.dumps(self.context.changed())
        return RunnableConfig(
            configurable={"thread_id": self.thread_id},
            metadata={_CONTEXT_KEY: kept, GRAPH_KEY: self.name},
            # Cycles are bounded by the context's own limits.
            recursion_limit=_RECURSION_LIMIT,
        )

    async def snapshot(self) -> StateSnapshot:
        """The thread's latest checkpoint."""
        return await self.graph.aget_state(self.config)

    async def kept_context(self) -> dict[str, Any]:
        """The settings the thread was run with."""
        metadata = (await self.snapshot()).metadata or {}
        kept: dict[str, Any] = json.loads(str(dict(metadata).get(_CONTEXT_KEY) or "{}"))
        return kept

    async def take_up(self, context: Context) -> None:
        """Use these settings from here on; their model is checked and opened."""
        await _check_model(context)
        await open_chat_model(context.model, self.view.progress)
        self.context = context

    async def reopen(self) -> str:
        """Makes an ended thread go on at `review`; leaves an unended one as it is.

        Returns:
            The status it had ended with: done, failed, stopped, or "" when it had not ended.

        Raises:
            UsageError: it was stopped by a limit, and the limit is still reached.
        """
        snapshot = await self.snapshot()
        status = str(snapshot.values.get("status", ""))
        if snapshot.next or status == "done":
            return "" if snapshot.next else status
        values = snapshot.values
        now = with_strategy(self.context)
        if limit := still_short(values, await self.kept_context(), now):
            raise UsageError(f"{limit}.", "Give more, for example --max-steps 60.")
        # A failed run gets its replans anew; a stopped one goes on where it was.
        changed: dict[str, Any] = {"status": "", "report": "", "short": ""}
        changed["progress"] = taken_up(progress_of(values))
        changed["tasks"] = in_earnest(values.get("tasks", {}))
        if status == "failed":
            changed["replans"] = 0
        await self.graph.aupdate_state(self.config, changed, as_node="reflect")
        return status

    async def fork(self, checkpoint_id: str, given: dict[str, Any], edits: dict[str, Any]) -> None:
        """Make a branch from a checkpoint, which `go` then runs.

        Args:
            checkpoint_id: what is forked.
            given: settings that replace those of the run.
            edits: new values by channel.

        Raises:
            UsageError: there is no such checkpoint, nothing follows it, or a setting cannot be.
        """
        from replan.graphs.forking import fork

        at = RunnableConfig(
            configurable={"thread_id": self.thread_id, "checkpoint_id": checkpoint_id}
        )
        then = await self.graph.aget_state(at)
        if then.created_at and not then.next:
            raise UsageError(
                f"nothing follows the checkpoint {checkpoint_id}.",
                f"Fork an earlier one: replan history {self.thread_id}.",
            )
        kept = json.loads(str(dict(then.metadata or {}).get(_CONTEXT_KEY) or "{}"))
        context = context_from(given, kept)
        limit = limit_of(then.values, with_strategy(context))
        if limit:
            raise UsageError(f"{limit}.", "Give more, for example --max-steps 60.")
        await self.take_up(context)
        saver = self.graph.checkpointer
        assert isinstance(saver, BaseCheckpointSaver)
        metadata = {_CONTEXT_KEY: json.dumps(context.changed()), GRAPH_KEY: self.name}
        await fork(saver, self.thread_id, checkpoint_id, edits, metadata)

    async def waiting(self) -> list[Interrupt]:
        """The calls that wait for a person's answer."""
        return list((await self.snapshot()).interrupts)

    async def go(self, goal: str, answers: Mapping[str, Any] | None = None) -> None:
        """Run the goal, or with "" from the latest checkpoint on, to the end.

        Args:
            goal: what is to be reached.
            answers: to calls that wait, by the interrupt's id.
        """
        given: dict[str, Any] | Command[Any] | None = {"goal": goal} if goal else None
        if answers:
            given = Command(resume=dict(answers))
        with self.view:
            async for part, mode, event in self.graph.astream(
                given,
                self.config,
                context=self.context,
                stream_mode=_STREAMED,
                subgraphs=True,
                durability="sync",
            ):
                self.view.show(str(mode), event, tuple(part))

    async def result(self) -> dict[str, Any]:
        """What `--json` prints."""
        snapshot = await self.snapshot()
        values, configurable = snapshot.values, snapshot.config.get("configurable", {})
        waiting = bool(snapshot.interrupts)
        return {
            "thread_id": self.thread_id,
            "checkpoint_id": configurable.get("checkpoint_id"),
            "status": "waiting" if waiting else values.get("status") or "failed",
            "report": values.get("report", ""),
            "artifacts": values.get("artifacts", []),
            "usage": whole_usage(values.get("usage", {})),
            "replans": values.get("replans", 0),
            "memories": memories_of(values),
            "workspace": values.get("workspace", ""),
            "waiting": [{"interrupt": one.id, **one.value} for one in snapshot.interrupts],
        }


def whole_usage(usage: Usage) -> dict[str, Any]:
    """Every count, zero where there is none; seconds to the hundredth."""
    counts = {
        name: usage.get(name, 0)
        for name in ("model_calls", "input_tokens", "output_tokens", "steps")
    }
    seconds = {
        name: round(float(usage.get(name, 0.0)), 2)  # type: ignore[arg-type]
        for name in ("seconds", "model_seconds", "tool_seconds")
    }
    return {**counts, "cost_usd": usage.get("cost_usd"), **seconds}


def memories_of(values: Mapping[str, Any]) -> dict[str, Any]:
    """What the run recalled and learned; empty lists of a run from before there were memories."""
    known = values.get("memories") or {}
    return {"recalled": known.get("recalled") or [], "learned": known.get("learned") or []}


@asynccontextmanager
async def session(
    thread_id: str, context: Context, as_json: bool, resumed: bool = False, name: str = AGENT
) -> AsyncIterator[Session]:
    """Everything a run needs, in order of what fails fastest; model and database load together.

    Args:
        thread_id: the thread.
        context: what the run is told.
        as_json: whether one JSON object is printed.
        resumed: whether the thread has to be there; which graph it is of, it tells itself.
        name: of the graph that a new thread is of.

    Raises:
        UsageError: whatever of it is not to be had.
    """
    view = open_view(thread_id, quiet=False)
    # What the driver warns of when a database goes away, the error says in one line.
    logging.getLogger("psycopg").setLevel(logging.CRITICAL)
    if resumed:  # which model it is, the thread has to tell first
        loading: asyncio.Task[Any] = asyncio.create_task(asyncio.sleep(0))
    else:
        if context.workspace:
            await asyncio.to_thread(open_workspace, context.workspace, False)
        await _check_model(context)
        loading = asyncio.create_task(open_chat_model(context.model, view.progress))
    try:
        database = await open_database(lambda line: view.progress(line, 0.0))
        async with (
            thread_lock(database, thread_id),
            open_persistence(database, choose_embedder) as kept,
        ):
            run = await _of_graph(name, thread_id, context, view, kept, resumed)
            if resumed:
                await _must_exist(run, database)
            await loading
            sys.setswitchinterval(0.005)
            gc.freeze()
            gc.enable()
            yield run
    finally:
        await _settle(loading)
        await close_servers()


async def _of_graph(
    name: str, thread_id: str, context: Context, view: View, kept: Persistence, resumed: bool
) -> Session:
    """The session of a thread, whichever graph it is of.

    Raises:
        UsageError: it is of another graph than is wanted, or of one that is not known here.
    """
    config = RunnableConfig(configurable={"thread_id": thread_id, "checkpoint_ns": ""})
    found = await kept.saver.aget_tuple(config)
    if found is not None:
        of = name_of(found)
        if resumed and of == RESEARCH:
            name = RESEARCH
        elif not resumed and of in (AGENT, RESEARCH) and of != name:
            raise UsageError(
                f"the thread {thread_id} is of the graph {of!r}.",
                "Leave --thread out for a new one.",
            )
    graph = build(name, kept.saver, kept.store)
    if found is not None:
        must_be_known(found, graph, "resumed" if resumed else "used")
    if name == RESEARCH:
        from replan.cli.research import ResearchSession

        return ResearchSession(graph, thread_id, context, view, kept)
    return Session(graph, thread_id, context, view, kept)


async def _check_model(context: Context) -> None:
    """The model can be asked, and a limit in dollars can be held.

    Raises:
        UsageError: one of them is not so.
    """
    require_price(with_strategy(context).max_cost, await preflight(context.model))


async def _must_exist(run: Session, database: Database) -> None:
    if not (await run.snapshot()).created_at:
        raise ThreadNotFoundError(
            f"there is no thread {run.thread_id} in the {database.kind} database.",
            "`replan threads` lists what there is.",
        )


async def _settle(loading: "asyncio.Task[Any]") -> None:
    """A model still loading when something else failed: its own error would only hide that."""
    loading.cancel()
    await asyncio.gather(loading, return_exceptions=True)
