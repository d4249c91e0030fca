"""Runs a recorded branch again, super-step by super-step, with the recorded results of all calls.

Each super-step starts from its recorded checkpoint, in memory, and what today's code makes of it
is compared with the recorded next one. When all agree, the branch is what the code would do again;
the first that does not is where it goes another way. So what is measured, and limits that fall by
it, are as they were, and LangGraph's ids of the executions too, by which the journal has the calls.
"""

import asyncio
import json
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import CheckpointTuple
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.errors import GraphInterrupt
from pydantic import ValidationError

from replan.graphs.known import agent_that_made
from replan.graphs.limits import SHARE
from replan.graphs.recorded_chain import Chain, recorded_chain
from replan.graphs.replayed_means import ReplayedMeans, Told
from replan.graphs.replayed_state import nodes_of, state_difference, task_of
from replan.state.agent_state import later_revision
from replan.state.context import Context
from replan.state.errors import DatabaseError, RevisionError, UsageError
from replan.storage.journal import Entry, Journal, Kind
from replan.storage.persistence import Persistence
from replan.storage.replayed_folder import ReplayedFolder
from replan.storage.replaying import Divergence, RecordedStep, calls_by_execution
from replan.storage.revisions import Revisions, Taken
from replan.tools.protocol import Tool
from replan.tools.workspace import Workspace

CONTEXT_KEY = "replan_context"
_RESUME = "__resume__"  # LangGraph's channel of a person's answers
_CALLER = "__pregel_task_id"  # in LangGraph's config, who calls a part
_OUT_OF_TIME = ("max_seconds", SHARE)  # what the channel `short` says then
Tell = Callable[[int, int], None]


@dataclass
class Replayed:
    """What came of a replay.

    Attributes:
        thread_id: the thread.
        first: id of the checkpoint that it started from.
        last: id of the checkpoint that it went to.
        steps: super-steps replayed, the one that diverged included.
        calls: how many recorded results were used, by kind.
        divergence: where today's code goes another way, None when it does not.
        missing: files that no revision held, so that the replay did without them.
        seconds: how long it took.
    """

    thread_id: str
    first: str
    last: str
    steps: int = 0
    calls: dict[Kind, int] = field(default_factory=dict)
    divergence: Divergence | None = None
    missing: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """What `--json` prints."""
        return {
            "thread_id": self.thread_id,
            "from": self.first,
            "to": self.last,
            "steps": self.steps,
            "model_calls_replayed": self.calls.get("model", 0),
            "tool_calls_replayed": self.calls.get("tool", 0),
            "equal": self.divergence is None,
            "divergence": asdict(self.divergence) if self.divergence else None,
            "missing": self.missing,
            "seconds": round(self.seconds, 3),
        }


async def replay(
    kept: Persistence,
    thread_id: str,
    start: str = "",
    end: str = "",
    namespace: str = "",
    *,
    roles: Mapping[str, Any] | None = None,
    tools: Sequence[Tool] = (),
    tell: Tell = lambda done, steps: None,
) -> Replayed:
    """Run a recorded branch again. Nothing is called, and nothing written but a folder of its own.

    Args:
        kept: where the thread is.
        thread_id: the thread.
        start: id of the checkpoint to start from; "" for the beginning of the latest goal.
        end: id of the checkpoint to go to; "" for the thread's latest.
        namespace: of the agent to replay, where it is a part of the thread's graph.
        roles: implementations that the run was given as objects.
        tools: tools that the run was given as objects; without them, what was noted of them.
        tell: told how many super-steps of how many are done.

    Raises:
        ThreadNotFoundError, UsageError: it cannot be replayed.
    """
    began = time.monotonic()
    chain = await recorded_chain(kept, thread_id, start, end, namespace)
    agent_that_made(chain.checkpoints[-1], roles, tools)
    journal = Journal(Revisions(kept.pool))
    record = await _record(chain, journal)
    with tempfile.TemporaryDirectory(prefix="replan-replay-") as made:
        folder = Path(made) / "workspace"
        await asyncio.to_thread(folder.mkdir)
        replayed = await _Replay(chain, record, journal, folder, roles, tools).run(tell)
    replayed.seconds = time.monotonic() - began
    return replayed


@dataclass(frozen=True)
class _Record:
    """The journal's entries of a chain by checkpoint, the bodies of some requests, and the settings
    that were noted last before it, with the workspace's revision then.
    """

    entries: Mapping[str, list[Entry]]
    requests: Mapping[str, Any]
    told: Told | None
    revision: str


async def _record(chain: Chain, journal: Journal) -> _Record:
    ids = {one.checkpoint["id"] for one in chain.checkpoints}
    entries: dict[str, list[Entry]] = {}
    noted: dict[str, Entry] = {}
    for entry in await journal.of_thread(chain.thread_id):
        if entry.kind == "settings":
            noted[entry.place.checkpoint_id] = entry
        if entry.place.checkpoint_id in ids:
            entries.setdefault(entry.place.checkpoint_id, []).append(entry)
    if not entries:
        raise UsageError(
            "no calls of this run are recorded.",
            "Only runs of this version's agent, on Postgres, can be replayed.",
        )
    earlier = [noted[before] for before in chain.before if before in noted][-1:]
    told = [entry for found in entries.values() for entry in found if entry.kind == "settings"]
    first: dict[str, Entry] = {}  # an execution asks one model
    for entry in (entry for found in entries.values() for entry in found):
        if entry.kind == "model":
            first.setdefault(entry.place.execution, entry)
    requests = await journal.requests([*earlier, *told, *first.values()])
    before = [requests[one.request_sha256] for one in earlier if one.request_sha256 in requests]
    revision = earlier[0].revision if earlier else ""
    return _Record(entries, requests, Told(**before[0]) if before else None, revision)


class _Replay:
    """One replay: the graph, the folder, and how far it has come."""

    def __init__(
        self,
        chain: Chain,
        record: _Record,
        journal: Journal,
        folder: Path,
        roles: Mapping[str, Any] | None,
        tools: Sequence[Tool],
    ) -> None:
        self._chain = chain
        self._record = record
        self._journal = journal
        self._folder = ReplayedFolder(folder, journal.revisions)
        self._saver = InMemorySaver()
        self._told = record.told
        # What the files were where the run was begun or resumed last.
        self._found = record.revision
        self._means = ReplayedMeans(
            Workspace(folder), RecordedStep(0, "", journal, {}, self._folder, Taken("", 0, {})),
            Told(), {},
        )  # fmt: skip
        self._graph = agent_that_made(
            chain.checkpoints[-1], roles, tools, checkpointer=self._saver, means=self._means
        )
        self._done = Replayed(chain.thread_id, chain.first, chain.last)

    async def run(self, tell: Tell) -> Replayed:
        steps = self._chain.steps()
        for before, after in steps:
            self._done.divergence = await self._step(before, after)
            self._done.steps += 1
            for kind, count in self._means.step.replayed.items():
                self._done.calls[kind] = self._done.calls.get(kind, 0) + count
            if self._done.divergence:
                break
            tell(self._done.steps, len(steps))
        self._done.missing = self._folder.missing
        return self._done

    async def _step(self, before: CheckpointTuple, after: CheckpointTuple) -> Divergence | None:
        context = self._context(before, after)
        try:
            await self._set(before, after)
        except RevisionError as error:
            raise UsageError(f"the files of the run are not there: {error.what}") from error
        step = self._means.step
        config = await self._seeded(before)
        try:
            await self._graph.ainvoke(
                None, config, context=context, interrupt_after="*", durability="exit"
            )
        except GraphInterrupt:
            pass  # a part tells its caller that it was interrupted after the step
        except (DatabaseError, asyncio.CancelledError):
            raise
        except Exception as error:
            if step.divergence is None:
                said = " ".join(str(error).split())[:500]
                return self._differs(before, "error", f"{type(error).__name__}: {said}")
        if step.divergence or step.not_asked():
            return step.divergence
        now = await self._saver.aget_tuple(config)
        if now is None or now.checkpoint["id"] == before.checkpoint["id"]:
            return self._differs(before, "approval", "a person would be asked, and was not")
        found = state_difference(
            after.checkpoint["channel_values"],
            now.checkpoint["channel_values"],
        )
        return self._differs(before, "state", *found) if found else None

    async def _set(self, before: CheckpointTuple, after: CheckpointTuple) -> None:
        """Files, settings and recorded calls as the step met them."""
        checkpoint_id = before.checkpoint["id"]
        entries = self._record.entries.get(checkpoint_id, [])
        was = str(before.checkpoint["channel_values"].get("revision") or "")
        left = str(after.checkpoint["channel_values"].get("revision") or "")
        # The first node takes the revision of what it sees.
        opens = "recall" in nodes_of(before)
        await self._folder.become(left if opens else later_revision(self._found, was))
        missing = {} if opens else await self._folder.missing_since(was, left)
        self._means.step = RecordedStep(
            int(after.metadata.get("step", 0)),
            checkpoint_id,
            self._journal,
            calls_by_execution(entries),
            self._folder,
            Taken(left, 0, missing),
            after.checkpoint["channel_values"].get("short") in _OUT_OF_TIME,
            after.checkpoint["channel_values"].get("copies") or {},
        )
        asked_of: dict[str, tuple[str, Mapping[str, Any]]] = {}
        for entry in entries:
            request = self._record.requests.get(entry.request_sha256)
            if entry.kind == "model" and isinstance(request, dict):
                asked_of.setdefault(entry.place.execution, (entry.name, request.get("of", {})))
        self._means.asked_of = asked_of

    def _context(self, before: CheckpointTuple, after: CheckpointTuple) -> Context:
        """The run's settings at a step: as noted there or before, else as the command line keeps
        them.
        """
        for entry in self._record.entries.get(before.checkpoint["id"], []):
            if entry.kind == "settings" and entry.request_sha256 in self._record.requests:
                self._told = Told(**self._record.requests[entry.request_sha256])
                self._found = entry.revision
        self._means.told = self._told or Told()
        fields = self._means.told.context
        if self._told is None:
            kept: Any = dict(after.metadata).get(CONTEXT_KEY)
            fields = json.loads(str(kept or "{}"))
        try:
            return Context(**fields)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"]))
            raise UsageError(
                f"a setting of the run is none today: {where}: {first['msg']}.",
                "Replay it with the version that it was recorded with.",
            ) from error

    async def _seeded(self, before: CheckpointTuple) -> RunnableConfig:
        """The checkpoint alone in the memory's saver, with what people answered at it."""
        thread_id = (self._told.thread if self._told else "") or self._chain.thread_id
        await self._saver.adelete_thread(thread_id)
        namespace = self._chain.namespace
        config = RunnableConfig(configurable={"thread_id": thread_id, "checkpoint_ns": namespace})
        if namespace:  # otherwise the loop takes it for the graph itself, whose ids are others
            config["configurable"][_CALLER] = namespace
        here = await self._saver.aput(
            config,
            before.checkpoint,
            {**before.metadata},
            before.checkpoint["channel_versions"],
        )
        for execution, channel, value in before.pending_writes or []:
            if channel == _RESUME:
                await self._saver.aput_writes(here, [(channel, value)], execution)
        return config

    def _differs(
        self, before: CheckpointTuple, kind: str, what: str, difference: str = ""
    ) -> Divergence:
        step = self._means.step
        return Divergence(
            step.step, step.checkpoint_id, ", ".join(dict.fromkeys(nodes_of(before))),
            task_of(before), kind, what, difference,
        )  # fmt: skip
