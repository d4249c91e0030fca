"""What LangGraph alone takes for a run of the agent: its writes, played again by nodes that do
nothing else.

The bare graph has the agent's nodes, edges, channels and reducers. Each of its nodes writes what
the agent's node wrote at that place of a run that was recorded, values, `Send` and their payloads
included, as the pending writes of the run's checkpoints tell. With the same saver it so makes the
same super-steps, the same checkpoints and as many commits; it asks no model, calls no tool, reads
no file, makes no revision and no entry in a journal.
"""

from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, Send

from replan.state.agent_state import AgentInput, AgentOutput, AgentState

BRANCH = "branch:to:"
TASKS = "__pregel_tasks"

SENDING = {"select_tool": ("execute", "review"), "execute": ("reflect",)}
ROUTED = {"plan": ["select_tool", "review"], "review": ["select_tool", "plan", "report"]}
PLAIN = {
    START: "recall",
    "recall": "decompose",
    "decompose": "plan",
    "reflect": "review",
    "report": "remember",
    "remember": END,
}


@dataclass(frozen=True)
class Written:
    """What one call of a node wrote: values by channel, and where it sent the run."""

    update: dict[str, Any]
    goto: Sequence[Send | str]


Recorded = dict[str, list[Written]]


async def recorded(graph: Any, thread: str) -> Recorded:
    """What each node wrote in a run without branches side by side, in order."""
    saver: BaseCheckpointSaver[Any] = graph.checkpointer
    found: Recorded = defaultdict(list)
    config = {"configurable": {"thread_id": thread, "checkpoint_ns": ""}}
    shots = [shot async for shot in graph.aget_state_history(config)]
    for shot in reversed(shots):
        kept = await saver.aget_tuple(shot.config)
        assert kept is not None
        for task in shot.tasks:
            writes = [
                (channel, value)
                for owner, channel, value in kept.pending_writes or ()
                if owner == task.id
            ]
            found[task.name].append(_written(writes))
    found.pop(START, None)
    return found


def _written(writes: list[tuple[str, Any]]) -> Written:
    goto: list[Send | str] = [value for channel, value in writes if channel == TASKS]
    goto += [channel.removeprefix(BRANCH) for channel, _ in writes if channel.startswith(BRANCH)]
    update = {channel: value for channel, value in writes if channel in AgentState.__annotations__}
    return Written(update, goto)


class Played:
    """A run that is being played: what each node writes next."""

    def __init__(self, found: Recorded) -> None:
        self._next = {name: deque(written) for name, written in found.items()}
        self._goto: dict[str, Sequence[Send | str]] = {}

    def node(self, name: str) -> Any:
        """A node of that name."""

        async def play(state: Any) -> Any:
            written = self._next[name].popleft()
            self._goto[name] = written.goto
            if name in SENDING:
                return Command(update=written.update, goto=written.goto)
            return written.update

        return play

    def route(self, name: str) -> Any:
        """Where the run went from that node."""

        def went(state: Any) -> Any:
            return self._goto[name]

        return went


def bare_graph(found: Recorded, saver: BaseCheckpointSaver[Any]) -> Any:
    """The graph that plays a recorded run, once."""
    played = Played(found)
    graph = StateGraph(AgentState, input_schema=AgentInput, output_schema=AgentOutput)
    for name in (*PLAIN, *ROUTED, *SENDING):
        if name != START:
            graph.add_node(name, played.node(name), destinations=SENDING.get(name))
    for name, after in PLAIN.items():
        graph.add_edge(name, after)
    for name, ends in ROUTED.items():
        graph.add_conditional_edges(name, played.route(name), ends)
    return graph.compile(checkpointer=saver, name="bare")
