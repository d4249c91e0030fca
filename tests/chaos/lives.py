"""One life of a run: a process that starts or resumes a thread, and may be killed at any instant.

A parent keeps what a fresh process would load in a fork server, so that a life costs a fraction of
a second. Nothing else is shared: each life opens database, model and graph for itself.
"""

import asyncio
import json
import os
import signal
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import replan.tools.toolbox as toolboxes
import replan.tools.watched_call as watching
from replan.graphs.build import build_agent
from replan.nodes.contract import (
    DecomposeRequest,
    DecomposeResult,
    PlanRequest,
    PlanResult,
    Use,
)
from replan.state.agent_state import AgentInput
from replan.state.context import Context
from replan.state.errors import ReplanError
from replan.state.settings import settings
from replan.state.task import Observation, Task
from replan.storage.database import open_database
from replan.storage.journal import Journal
from replan.storage.persistence import open_persistence
from replan.storage.thread_lock import thread_lock
from replan.tools.protocol import CallContext, schema

GOAL = "Write alpha.txt, enter first into the ledger, compute beta.txt, enter second"
# The first two side by side, then one after the other.
TASKS = [
    {"id": "t1", "title": "Write alpha.txt", "writes": ["alpha.txt"]},
    {"id": "t2", "title": "Enter first into the ledger"},
    {
        "id": "t3",
        "title": "Compute beta.txt",
        "writes": ["beta.txt"],
        "depends_on": ["t1", "t2"],
        "checks": [{"kind": "file_contains", "path": "beta.txt", "text": "alphaalpha"}],
    },
    {"id": "t4", "title": "Enter second into the ledger", "depends_on": ["t3"]},
]


class DecomposeAsTold:
    """The same tasks each time: what is tried is how they are worked on."""

    async def __call__(self, request: DecomposeRequest, use: Use) -> DecomposeResult:
        return DecomposeResult(tasks=[Task.model_validate(task) for task in TASKS])


class PlanAsTold:
    """The tasks as they depend on each other."""

    async def __call__(self, request: PlanRequest, use: Use) -> PlanResult:
        return PlanResult(tasks=list(request.tasks))


@dataclass(frozen=True)
class Life:
    """What a process is told.

    Attributes:
        thread_id: the thread it works on.
        folder: holds the workspace, the ledger, and the log of executions.
        variables: of the environment, for the settings.
        dies_at: the event of the graph's stream at which it kills itself; 0 for none.
        dies_in: the moment in a call at which it does: there is one after each entry of the journal
            is begun, after each effect of a tool, and after each entry is finished; 0 for none.
    """

    thread_id: str
    folder: Path
    variables: dict[str, str]
    dies_at: int = 0
    dies_in: int = 0


class Ledger:
    """A tool with an effect outside the workspace, which must not be made twice.

    What it appends is written at once or not at all, so whether a call was made can be told.
    """

    name = "ledger"
    description = "enter a line into the ledger"
    parameters = schema(["text"], text={"type": "string", "minLength": 1})
    subject = "text"
    content = None
    content_language = ""

    def __init__(self, file: Path) -> None:
        self.file = file

    def unavailable(self) -> str:
        return ""

    async def call(self, args: dict[str, Any], context: CallContext) -> Observation:
        await asyncio.to_thread(_append, self.file, f"{context.call_id} {args['text']}\n")
        return Observation(ok=True, text=f"entered {args['text']}")

    async def settle(self, args: dict[str, Any], context: CallContext) -> Observation:
        if await asyncio.to_thread(self._has, context.call_id):
            return Observation(ok=True, text=f"entered {args['text']}")
        return await self.call(args, context)

    def _has(self, call_id: str) -> bool:
        lines = self.file.read_text().splitlines() if self.file.exists() else []
        return any(line.startswith(f"{call_id} ") for line in lines)


def live(life: Life, pipe: Connection) -> None:
    """Start the thread, or go on with it, to its end; in a process of its own.

    Sends "begun" when the graph starts, then how many events and moments there were and the final
    values, or the one line of an error.
    """
    os.environ.update(life.variables)
    settings.cache_clear()
    moments = Moments(life.dies_in)
    _instrument(life.folder / "executions", moments)
    try:
        ended = asyncio.run(_live(life, pipe, moments))
    except ReplanError as error:
        ended = {"error": str(error)}
    with suppress(BrokenPipeError):
        pipe.send(json.dumps(ended))
    pipe.close()


class Moments:
    """Counts the moments of a life, and ends it at one of them."""

    def __init__(self, last: int) -> None:
        self.count = 0
        self._last = last

    def pass_one(self) -> None:
        self.count += 1
        if self.count == self._last:
            os.kill(os.getpid(), signal.SIGKILL)


def _instrument(executions: Path, moments: Moments) -> None:
    """Log every call that a tool really gets, and count the moments around it."""
    begin, finish, carry_out = Journal.begin, Journal.finish, watching.carry_out

    async def logged(tool: Any, args: dict[str, Any], context: CallContext) -> Observation:
        line = f"{tool.name} {context.call_id} {os.getpid()}\n"
        await asyncio.to_thread(_append, executions, line)
        seen = await carry_out(tool, args, context)
        moments.pass_one()
        return seen

    async def begun(self: Journal, *args: Any, **named: Any) -> Any:
        entry = await begin(self, *args, **named)
        moments.pass_one()
        return entry

    async def finished(self: Journal, *args: Any, **named: Any) -> None:
        await finish(self, *args, **named)
        moments.pass_one()

    watching.carry_out = toolboxes.carry_out = logged
    Journal.begin = begun  # type: ignore[method-assign,assignment]
    Journal.finish = finished  # type: ignore[method-assign]


async def _live(life: Life, pipe: Connection, moments: Moments) -> dict[str, Any]:
    context = Context(
        workspace=str(life.folder / "workspace"),
        recall="none",  # what one run leaves would change the next
        remember="none",
        max_call_seconds=20,
    )
    config: Any = {"configurable": {"thread_id": life.thread_id}}
    database = await open_database()
    async with thread_lock(database, life.thread_id), open_persistence(database) as kept:
        graph = build_agent(
            {"decompose": DecomposeAsTold(), "plan": PlanAsTold()},
            tools=[Ledger(life.folder / "ledger")],
            checkpointer=kept.saver,
            store=kept.store,
        )
        before = await graph.aget_state(config)
        if before.values and not before.next:
            return dict(before.values)
        pipe.send("begun")
        events = 0
        async for _ in graph.astream(
            None if before.next else AgentInput(goal=GOAL),
            config,
            context=context,
            stream_mode=["tasks", "checkpoints"],
            durability="sync",
        ):
            events += 1
            if events == life.dies_at:
                os.kill(os.getpid(), signal.SIGKILL)
        pipe.send((events, moments.count))
        return dict((await graph.aget_state(config)).values)


def _append(file: Path, line: str) -> None:
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(handle, line.encode())
    finally:
        os.close(handle)
