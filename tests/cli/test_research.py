"""`replan research`, and what the other commands do with its thread."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from documents_asked import write_documents
from langgraph.graph import END, START, StateGraph
from openai_server import OpenAIServer, openai_server_in_thread
from scripted_research import ScriptedResearch

from replan.graphs.build import build_agent
from replan.state.agent_state import AgentInput, AgentOutput
from replan.state.context import Context
from replan.state.settings import settings
from replan.storage.database import Database
from replan.storage.persistence import open_persistence

KEY = "sk-scripted-0123456789"
GOAL = "Write a report on coffee and gardens"
SECTIONS = [
    ("Coffee", "How are espresso and cold brew made?"),
    ("Garden", "What is done for tomatoes, roses and compost?"),
]
NODES = ["outline", "gather", "claim", "merge", "check", "write"]


@pytest.fixture(scope="module")
def model() -> Iterator[OpenAIServer]:
    with openai_server_in_thread(ScriptedResearch(SECTIONS), key=KEY) as server:
        yield server


@pytest.fixture
def documents(tmp_path: Path) -> Path:
    folder = tmp_path / "documents"
    write_documents(folder)
    return folder


@pytest.fixture
def written(inside, model: OpenAIServer, documents: Path, thread: str) -> Any:
    return inside(
        "research", GOAL, "--documents", str(documents), "--thread", thread, "--json",
        OPENAI_BASE_URL=model.url,
    )  # fmt: skip


def test_a_report_with_its_citations(inside, written, documents: Path) -> None:
    assert written.code == 0, written.err
    result = written.result
    assert result["status"] == "done"
    assert {one["section"] for one in result["citations"]} == {"s1", "s2"}
    for one in result["citations"]:
        assert one["passage"] in (documents / one["source"]).read_text(encoding="utf-8")
    assert Path(result["workspace"], "report.md").read_text(encoding="utf-8") == result["report"]


def test_progress_says_which_section(written) -> None:
    lines = [line.partition("] ")[2] for line in written.err.splitlines()]
    assert "section s1: Coffee" in lines
    assert "s2 gathers its sources" in lines
    assert any(line.startswith("s1 | search_documents query=") for line in lines)
    assert any(line.startswith("checked: ") for line in lines)


def test_the_report_alone_on_standard_output(inside, model, documents: Path) -> None:
    done = inside("research", GOAL, "--documents", str(documents), OPENAI_BASE_URL=model.url)
    assert done.code == 0, done.err
    assert done.out.startswith("# A report\n")
    assert "created: report.md" in done.err


def test_what_is_missing_is_said_in_one_line(inside, model) -> None:
    nothing = inside("research", GOAL, OPENAI_BASE_URL=model.url)
    assert nothing.code == 2
    assert "there is nothing to search in" in nothing.complaint
    gone = inside("research", GOAL, "--documents", "not-there", OPENAI_BASE_URL=model.url)
    assert gone.code == 2
    assert "the documents folder not-there is not there" in gone.complaint
    empty = inside("research", " ", OPENAI_BASE_URL=model.url)
    assert empty.code == 2
    assert "the goal is empty" in empty.complaint


def history(inside, thread: str) -> dict[str, Any]:
    done = inside("history", thread, "--json", OPENAI_API_KEY="")
    assert done.code == 0, done.err
    value: dict[str, Any] = done.result
    return value


def test_history_shows_each_namespace(inside, written, thread: str) -> None:
    known = history(inside, thread)
    spaces = [branch["namespace"].partition(":")[0] for branch in known["branches"]]
    assert spaces == ["", "gather", "gather"]
    own = [one for one in known["checkpoints"] if not one["namespace"]]
    assert [node for one in own for node in dict.fromkeys(one["nodes"])] == ["__start__", *NODES]
    inner = [one for one in known["checkpoints"] if one["namespace"]]
    assert any(call["tool"] == "search_documents" for one in inner for call in one["actions"])
    table = inside("history", thread, OPENAI_API_KEY="").out
    assert table.count(" of gather:") == 2
    assert known["head"] == own[-1]["checkpoint_id"]

    shown = inside("show", thread, inner[-1]["checkpoint_id"], "--json", OPENAI_API_KEY="")
    assert shown.result["namespace"] == inner[-1]["namespace"]
    assert shown.result["state"]["goal"] == GOAL


def test_a_fork_of_the_graph_itself_runs_from_there(inside, written, model, thread) -> None:
    own = [one for one in history(inside, thread)["checkpoints"] if not one["namespace"]]
    [outlined] = [one for one in own if one["next"] == ["gather", "gather"]]
    sections = [{"id": "s1", "heading": "Tea", "question": "How is green tea made?"}]
    forked = inside(
        "fork", thread, outlined["checkpoint_id"], "--state", f"title={json.dumps('Tea')}",
        "--json", OPENAI_BASE_URL=model.url,
    )  # fmt: skip
    assert forked.code == 0, forked.err
    assert forked.result["report"].startswith("# Tea\n")
    assert forked.result["workspace"] != written.result["workspace"]
    wrong = inside(
        "fork", thread, outlined["checkpoint_id"], "--state", f"tasks={json.dumps(sections)}",
        "--json", OPENAI_BASE_URL=model.url,
    )  # fmt: skip
    assert wrong.code == 2
    assert "the state has no 'tasks'" in wrong.complaint


def test_inside_a_part_nothing_is_forked(inside, written, model, thread) -> None:
    known = history(inside, thread)["checkpoints"]
    inner = next(one for one in known if one["namespace"] and one["step"] == 1)
    [outlined] = [one for one in known if one["next"] == ["gather", "gather"]]
    done = inside("fork", thread, inner["checkpoint_id"], OPENAI_BASE_URL=model.url)
    assert done.code == 2
    assert "is inside gather" in done.complaint
    assert "8458" in done.complaint
    assert outlined["checkpoint_id"] in done.complaint
    assert len(history(inside, thread)["checkpoints"]) == len(known)


def test_each_sections_agent_can_be_replayed_the_whole_cannot(inside, written, thread) -> None:
    known = history(inside, thread)["checkpoints"]
    whole = inside("replay", thread)
    assert whole.code == 2
    assert "cannot replay through" in whole.complaint
    assert "--from CHECKPOINT" in whole.complaint
    begins = [one for one in known if one["namespace"] and one["source"] == "input"]
    assert len(begins) == len(SECTIONS)
    for one in begins:
        steps = [step for step in known if step["namespace"] == one["namespace"]]
        done = inside("replay", thread, "--from", one["checkpoint_id"], "--json")
        assert done.code == 0, done.out
        assert done.result["equal"] is True
        assert done.result["steps"] == len(steps) - 2  # without the input, and START's copying
        assert done.result["tool_calls_replayed"] == 2
    assert len(history(inside, thread)["checkpoints"]) == len(known)


def test_a_stopped_report_goes_on_with_more(inside, model, documents: Path, thread: str) -> None:
    stopped = inside(
        "research", GOAL, "--documents", str(documents), "--thread", thread, "--max-steps", "1",
        "--set", "max_parallel=1", "--json", OPENAI_BASE_URL=model.url,
    )  # fmt: skip
    assert stopped.code == 1
    assert stopped.result["status"] == "stopped"
    assert "--max-steps" in stopped.result["reason"]
    same = inside("resume", thread, OPENAI_BASE_URL=model.url)
    assert same.code == 2
    assert "--max-steps" in same.complaint
    more = inside("resume", thread, "--max-steps", "20", "--json", OPENAI_BASE_URL=model.url)
    assert more.code == 0, more.err
    assert {one["section"] for one in more.result["citations"]} == {"s1", "s2"}


def test_run_does_not_go_on_with_a_report(inside, written, model, thread: str) -> None:
    done = inside("run", GOAL, "--thread", thread, OPENAI_BASE_URL=model.url)
    assert done.code == 2
    assert "is of the graph 'research_report'" in done.complaint


@pytest.fixture
def own_graph(database: Database, tmp_path: Path) -> str:
    """A thread of somebody's own graph with the agent as its part, that waits for a person."""
    thread = str(uuid4())

    async def run(url: str) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("OPENAI_BASE_URL", url)
            patch.setenv("OPENAI_API_KEY", KEY)
            settings.cache_clear()
            context = Context(
                workspace=str(tmp_path), decompose="none", report="template", reflect="checks",
                recall="none", remember="none"
            )  # fmt: skip
            async with open_persistence(database) as kept:
                graph = StateGraph(AgentInput, output_schema=AgentOutput)
                graph.add_node("work", build_agent({"select_tool": write_hello}, context=context))
                graph.add_edge(START, "work")
                graph.add_edge("work", END)
                own = graph.compile(checkpointer=kept.saver, store=kept.store)
                given = {"goal": "Write the word hello to hello.txt"}
                config: Any = {"configurable": {"thread_id": thread}}
                await own.ainvoke(given, config, durability="sync")
        settings.cache_clear()

    with openai_server_in_thread([], key=KEY) as server:
        asyncio.run(run(server.url))
    return thread


async def write_hello(request: Any, use: Any) -> Any:
    from replan.nodes.contract import SelectToolResult
    from replan.state.task import Action

    args = {"path": "hello.txt", "text": "hello"}
    return SelectToolResult(action=Action(tool="write_file", args=args))


def test_the_thread_of_somebodys_own_graph_can_be_looked_at(
    inside, own_graph: str, model: OpenAIServer, tmp_path: Path
) -> None:
    assert (tmp_path / "hello.txt").read_text() == "hello"
    known = history(inside, own_graph)
    assert [one["namespace"].partition(":")[0] for one in known["branches"]] == ["", "work"]
    inner = [one for one in known["checkpoints"] if one["namespace"]]
    assert [call["tool"] for one in inner for call in one["actions"] if one["nodes"] == ["execute"]]
    executed = next(one for one in inner if one["nodes"] == ["execute"])
    shown = inside("show", own_graph, executed["checkpoint_id"], "--json", OPENAI_API_KEY="")
    assert [one["name"] for one in shown.result["made_by"] if one["kind"] == "tool"] == [
        "write_file"
    ]
    assert shown.result["files"] == [{"path": "hello.txt", "change": "created"}]
    for command in ("resume", "replay"):
        done = inside(command, own_graph, OPENAI_BASE_URL=model.url)
        assert done.code == 2, done.err
        assert "Traceback" not in done.err
        assert "graph" in done.complaint
    first = known["checkpoints"][0]["checkpoint_id"]
    forked = inside("fork", own_graph, first, OPENAI_BASE_URL=model.url)
    assert forked.code == 2
    assert "a graph of your own" in forked.complaint
