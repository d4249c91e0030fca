"""The research report over a folder of documents: what is cited is what its source says."""

import json
import re
import unicodedata
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from documents_asked import write_documents
from langgraph.types import Command
from scripted_research import ScriptedResearch

from replan.graphs import research_report
from replan.graphs.research_report import build_research_report
from replan.state.errors import UsageError
from replan.state.settings import settings
from replan.storage.restore import restore
from replan.storage.revisions import Revisions

GOAL = "Write a report on keeping bicycles, coffee and gardens in order"
SECTIONS = [
    ("Bicycles", "How are chain, brakes and tyres of a bicycle looked after?"),
    ("Coffee", "How are espresso and cold brew made?"),
    ("Garden", "What is done for tomatoes, roses and compost?"),
    ("Money", "When are suppliers and expenses paid?"),
]


@pytest.fixture
def documents(tmp_path: Path) -> Path:
    folder = tmp_path / "documents"
    assert write_documents(folder) >= 60
    return folder


def research(agent: Any) -> Any:
    return build_research_report(checkpointer=agent.kept.saver, store=agent.kept.store)


async def run(agent: Any, documents: Path | None, goal: Any = GOAL, **told: Any) -> Any:
    if documents is not None:
        told["documents"] = str(documents)
    return await research(agent).ainvoke(
        {"goal": goal} if isinstance(goal, str) else goal,
        agent.config,
        context=agent.context(**told),
        durability="sync",
    )


def squeezed(text: str) -> str:
    """Letters and figures alone: by other means than those of the product."""
    kept = unicodedata.normalize("NFKC", text).casefold()
    return "".join(sign for sign in kept if sign.isalnum())


def holds(documents: Path, citation: dict[str, Any]) -> bool:
    """Whether the document contains the passage, and the passage the statement's figures."""
    text = (documents / citation["source"]).read_text(encoding="utf-8")
    figures = re.findall(r"[0-9]+", citation["claim"])
    inside = squeezed(citation["passage"]) in squeezed(text)
    return inside and all(figure in citation["passage"] for figure in figures)


async def test_every_citation_resolves(start_agent, documents: Path) -> None:
    model = ScriptedResearch(SECTIONS, title="In good order")
    async with start_agent(model) as agent:
        result = await run(agent, documents)
        assert result["status"] == "done"
        assert result.keys() == {
            "status", "reason", "report", "citations", "dropped", "artifacts", "usage"
        }  # fmt: skip
        assert {one["section"] for one in result["citations"]} == {"s1", "s2", "s3", "s4"}
        assert len(result["citations"]) >= 8
        assert all(holds(documents, one) for one in result["citations"])
        assert result["dropped"] == []
        report = result["report"]
        assert report.startswith("# In good order\n")
        for heading, _ in SECTIONS:
            assert f"\n## {heading}\n" in report
        for one in result["citations"]:
            assert f"{one['claim']} [{one['number']}]" in report
            assert f"[{one['number']}] {one['source']}" in report
        assert agent.read("report.md") == report.strip()
        assert [one["path"] for one in result["artifacts"]] == ["report.md"]
        assert result["usage"]["model_calls"] == len(agent.server.requests)


def inventing(passages: list[tuple[int, str, str]]) -> list[tuple[Any, str]]:
    """A model that makes up figures, names, sources and statements, and one that is true."""
    number, text, _ = passages[0]
    return [
        (number, text[:300]),
        (number, f"{text[:100]} This was measured 8741 times."),
        (number, "According to Professor Quimby, all of this is wrong."),
        (number, "Whales sing because moonlight pulls oceans upward (whales.pdf)."),
        (number, f"{text[:100]} [7] https://example.org/made-up"),
    ]


async def test_a_model_that_invents_is_not_cited(start_agent, documents: Path) -> None:
    async with start_agent(ScriptedResearch(SECTIONS, inventing)) as agent:
        result = await run(agent, documents)
        assert result["status"] == "done"
        assert result["citations"]
        assert all(holds(documents, one) for one in result["citations"])
        for invented in ("8741", "Quimby", "Whales", "whales.pdf", "example.org"):
            assert invented not in result["report"]
        problems = [one["problem"] for one in result["dropped"]]
        assert any("8741" in problem for problem in problems)
        assert any("Quimby" in problem or "Professor" in problem for problem in problems)
        assert len(problems) == 4 * len(SECTIONS)


async def test_a_source_that_is_not_there_cannot_be_chosen(start_agent, documents: Path) -> None:
    """The schema offers numbers of passages alone; one that breaks it is not taken."""
    unreal = lambda passages: [(99, "It is so.")]  # noqa: E731
    async with start_agent(ScriptedResearch(SECTIONS[:2], unreal)) as agent:
        result = await run(agent, documents)
        assert result["status"] == "failed"
        assert "no usable answer" in result["reason"]
        assert result["citations"] == []
        assert "It is so" not in result["report"]
        asked = [one for one in agent.server.requests if "claims" in json.dumps(one)]
        schema = asked[0]["response_format"]["json_schema"]["schema"]
        choices = schema["properties"]["claims"]["items"]["properties"]["passage"]["enum"]
        assert choices == list(range(1, len(choices) + 1))


async def test_a_document_that_changed_meanwhile_is_not_cited(start_agent, documents: Path) -> None:
    def changing(passages: list[tuple[int, str, str]]) -> list[tuple[Any, str]]:
        for _, _, name in passages:
            (documents / name).write_text("It says something else now.")
        return [(number, text[:300]) for number, text, _ in passages[:3]]

    async with start_agent(ScriptedResearch(SECTIONS[:2], changing)) as agent:
        result = await run(agent, documents)
        assert result["status"] == "failed"
        assert result["citations"] == []
        assert {one["problem"] for one in result["dropped"]} == {"the passage is not in the source"}


CHINESE = "研究并撰写一篇关于家中养猫与泡茶的详细报告"


async def test_it_is_in_the_language_of_the_goal(start_agent, documents: Path) -> None:
    sections = [("养猫", "小猫的疫苗怎么打？"), ("泡茶", "绿茶和普洱怎么泡？")]
    model = ScriptedResearch(sections, title="养猫与泡茶")
    async with start_agent(model) as agent:
        result = await run(agent, documents, CHINESE)
        assert result["status"] == "done"
        assert all(holds(documents, one) for one in result["citations"])
        assert "## 来源" in result["report"]
        assert "养猫/疫苗.md" in result["report"]
        prompts = [one["messages"][-1]["content"] for one in agent.server.requests]
        named = [text for text in prompts if "Write in" in text]
        assert named
        assert all("Write in Chinese" in text for text in named)


async def test_sections_are_worked_on_side_by_side_each_by_an_agent_of_its_own(
    start_agent, documents: Path
) -> None:
    async with start_agent(ScriptedResearch(SECTIONS)) as agent:
        await run(agent, documents, max_parallel=3)
        steps = [step async for step in research(agent).aget_state_history(agent.config)]
        nodes = [step.next for step in reversed(steps)]
        side = ("gather",) * 3, ("claim",) * 3, ("merge",), ("gather",), ("claim",), ("merge",)
        assert nodes == [("__start__",), ("outline",), *side, ("check",), ("write",), ()]
        async with agent.kept.pool.connection() as connection:
            cursor = await connection.execute(
                "SELECT DISTINCT checkpoint_ns FROM checkpoints WHERE thread_id = %s",
                (agent.thread,),
            )
            spaces = {row["checkpoint_ns"] for row in await cursor.fetchall()}
        assert len(spaces) == 1 + len(SECTIONS)
        end = steps[0].values
        await restore(Revisions(agent.kept.pool), end["revision"], documents.parent / "again")
        assert (documents.parent / "again" / "report.md").read_text() == end["report"]


async def test_a_limit_stops_it_with_what_there_is(start_agent, documents: Path) -> None:
    async with start_agent(ScriptedResearch(SECTIONS)) as agent:
        result = await run(agent, documents, max_steps=2, max_parallel=1)
        assert result["status"] == "stopped"
        assert "--max-steps" in result["reason"]
        assert all(holds(documents, one) for one in result["citations"])


async def test_a_section_that_is_out_of_tokens_leaves_the_others_theirs(
    start_agent, documents: Path
) -> None:
    """The passages of one section alone are longer than its share."""
    async with start_agent(ScriptedResearch(SECTIONS)) as agent:
        whole = await run(agent, documents)
        used = whole["usage"]["input_tokens"] + whole["usage"]["output_tokens"]
    async with start_agent(ScriptedResearch(SECTIONS)) as agent:
        result = await run(agent, documents, max_tokens=used // 2, max_parallel=1)
        assert result["status"] == "stopped"
        assert "tokens" in result["reason"]
        assert all(holds(documents, one) for one in result["citations"])
        assert result["usage"]["input_tokens"] + result["usage"]["output_tokens"] <= used // 2


async def test_a_thread_given_another_goal_begins_anew(start_agent, documents: Path) -> None:
    async with start_agent(ScriptedResearch(SECTIONS[:2])) as agent:
        first = await run(agent, documents)
        again = await run(agent, documents, "Write another report on bicycles and coffee")
        assert again["status"] == "done"
        assert again["citations"] == first["citations"]
        assert again["usage"]["model_calls"] == first["usage"]["model_calls"]
        assert [one["path"] for one in again["artifacts"]] == ["report.md"]


async def test_time_that_runs_out_stops_it(start_agent, documents: Path) -> None:
    class Slow(ScriptedResearch):
        def __call__(self, body: dict[str, Any]) -> Any:
            reply = super().__call__(body)
            reply.delay = 30.0 if self.asked[-1] == "claims" else 0.0
            return reply

    async with start_agent(Slow(SECTIONS[:2])) as agent:
        result = await run(agent, documents, max_seconds=10)
        assert result["status"] == "stopped"
        assert "seconds" in result["reason"]


async def test_with_nothing_to_search_in_it_says_so(start_agent) -> None:
    async with start_agent(ScriptedResearch(SECTIONS)) as agent:
        with pytest.raises(UsageError, match="nothing to search in"):
            await run(agent, None)
        assert agent.server.requests == []


@asynccontextmanager
async def service(method: str, answer: dict[str, Any]) -> AsyncIterator[str]:
    """A search service on loopback that always finds the same."""

    async def search(request: web.Request) -> web.Response:
        return web.json_response(answer)

    app = web.Application()
    app.router.add_route(method, "/search", search)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


FACT = "The lighthouse of Arlen was built in 1874 and is 41 metres high."
PAGE = "https://example.org/arlen"
TAVILY = {"query": "q", "results": [{"title": "Arlen", "url": PAGE, "content": FACT, "score": 1}]}
SEARXNG = {
    "query": "q",
    "answers": [],
    "suggestions": [],
    "results": [
        {"title": "Arlen", "url": PAGE, "content": FACT, "engines": ["x"], "category": "general"}
    ],
}
TOWERS = [("Height", "How high is the lighthouse of Arlen?"), ("Age", "When was it built?")]


@pytest.mark.parametrize("provider", ["tavily", "searxng"])
async def test_it_works_with_a_search_of_the_web(
    start_agent, monkeypatch: pytest.MonkeyPatch, provider: str
) -> None:
    model = ScriptedResearch(TOWERS)
    async with (
        service(*(("POST", TAVILY) if provider == "tavily" else ("GET", SEARXNG))) as url,
        start_agent(model) as agent,
    ):
        if provider == "tavily":
            monkeypatch.setenv("TAVILY_API_KEY", "tvly-s3cret")
            monkeypatch.setenv("TAVILY_BASE_URL", url)
        else:
            monkeypatch.setenv("SEARXNG_URL", url)
        settings.cache_clear()
        rules = ["allow:web_search", "deny:read_page"]
        result = await run(agent, None, "Write about the lighthouse of Arlen", approvals=rules)
        assert result["status"] == "done"
        assert {one["source"] for one in result["citations"]} == {PAGE}
        assert f"[1] Arlen, {PAGE}" in result["report"]


async def test_a_person_agrees_to_a_search_through_the_graph(
    start_agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with service("POST", TAVILY) as url, start_agent(ScriptedResearch(TOWERS)) as agent:
        monkeypatch.setenv("TAVILY_API_KEY", "tvly-s3cret")
        monkeypatch.setenv("TAVILY_BASE_URL", url)
        settings.cache_clear()
        told = {"approvals": ["deny:read_page"]}
        result = await run(agent, None, "Write about the lighthouse of Arlen", **told)
        asked = 0
        while waiting := result.get("__interrupt__"):
            asked += len(waiting)
            assert {one.value["tool"] for one in waiting} == {"web_search"}
            answers = {one.id: {"decision": "approve"} for one in waiting}
            result = await run(agent, None, Command(resume=answers), **told)
        assert asked == 2 * len(TOWERS)
        assert result["status"] == "done"


def test_what_is_served_has_no_checkpointer_of_its_own() -> None:
    assert research_report.graph.checkpointer is None
    drawn = build_research_report().get_graph().draw_mermaid()
    assert research_report.graph.get_graph().draw_mermaid() == drawn
