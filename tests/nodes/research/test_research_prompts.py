"""The prompts of the research report, word for word, and what is made of their answers."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from scripted_research import ScriptedResearch
from syrupy.assertion import SnapshotAssertion

from replan.nodes.contract import Brief, ReflectRequest, SelectToolRequest, Use
from replan.nodes.research.claims import claims_of
from replan.nodes.research.gathering import GatherSources, ReflectOnSources
from replan.nodes.research.outline import outline
from replan.nodes.research.passages import passages
from replan.state.research import Section
from replan.state.settings import settings
from replan.state.task import Action, Attempt, Observation, Source, Task

GOAL = "Write a report on tyres"
SECTION = Section(id="s1", heading="Sealant", question="How often is sealant needed?")
TYRES = Source(
    kind="document",
    name="tyres.md",
    place="line 1",
    text="Tubeless tyres need fresh sealant twice a year.",
)
PAGE = Source(kind="search", name="https://example.org/t", title="Tyres", text="A cut is plugged.")


def told(server: Any) -> str:
    lines = []
    for body in server.requests:
        lines += [f"--- {message['role']}\n{message['content']}" for message in body["messages"]]
        schema = body["response_format"]["json_schema"]["schema"]
        lines.append(f"--- schema\n{json.dumps(schema, indent=1)}")
    return "\n".join(lines)


def tried(action: Action, *sources: Source) -> Attempt:
    seen = Observation(ok=True, sources=list(sources))
    return Attempt(action=action, observation=seen, verdict="continue")


def request(*attempts: Attempt) -> SelectToolRequest:
    task = Task(id="t1", title=SECTION.question, attempts=list(attempts), rounds=len(attempts))
    return SelectToolRequest(brief=Brief(goal=GOAL), task=task)


SEARCHED = tried(Action(tool="search_documents", args={"query": SECTION.question}), TYRES)
ASKED: dict[str, Callable[[Use], Any]] = {
    "outline": lambda use: outline(GOAL, ["be brief"], [TYRES, PAGE], use.model),
    "claims": lambda use: claims_of(
        GOAL, SECTION, passages([TYRES, PAGE], SECTION.question), use.model
    ),
    "search": lambda use: GatherSources()(request(SEARCHED), use),
}


@pytest.fixture
def documents(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "documents"
    folder.mkdir()
    monkeypatch.setenv("REPLAN_DOCUMENTS", str(folder))
    settings.cache_clear()


@pytest.mark.parametrize("name", ASKED)
async def test_prompt(name: str, use_of, documents, snapshot: SnapshotAssertion) -> None:
    model = ScriptedResearch([("One", "What is one?"), ("Two", "What is two?")])
    async with use_of(model) as (use, server):
        await ASKED[name](use)
    assert told(server) == snapshot


async def test_a_section_that_asks_the_same_again_is_left_out(use_of) -> None:
    sections = [("One", "What is one?"), ("Also one", "what  IS one?"), ("Two", "What is two?")]
    async with use_of(ScriptedResearch(sections, title=" Numbers ")) as (use, _):
        title, found = await outline(GOAL, [], [], use.model)
    assert title == "Numbers"
    assert [(one.id, one.heading) for one in found] == [("s1", "Also one"), ("s2", "Two")]


async def test_without_a_usable_outline_the_goal_is_the_one_section(use_of) -> None:
    async with use_of(lambda body: "no JSON") as (use, _):
        title, [section] = await outline(GOAL, [], [], use.model)
    assert (title, section.question) == (GOAL, GOAL)


async def test_a_claim_carries_its_source_and_passage(use_of) -> None:
    async with use_of(ScriptedResearch([], lambda shown: [(1, "So it is.")])) as (use, _):
        [claim] = await claims_of(GOAL, SECTION, passages([TYRES], "sealant"), use.model)
    assert (claim.source, claim.passage, claim.text) == (TYRES, TYRES.text, "So it is.")


async def test_first_the_question_then_other_words(use_of, documents) -> None:
    async with use_of(ScriptedResearch([], query="sealant interval")) as (use, server):
        first = (await GatherSources()(request(), use)).action
        assert (first.tool, first.args) == ("search_documents", {"query": SECTION.question})
        assert server.requests == []
        second = (await GatherSources()(request(SEARCHED), use)).action
        assert second.args == {"query": "sealant interval"}


async def test_the_web_is_searched_and_the_first_page_is_read(
    use_of, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with use_of(ScriptedResearch([])) as (use, server):
        monkeypatch.setenv("TAVILY_API_KEY", "tvly-s3cret")
        settings.cache_clear()
        first = (await GatherSources()(request(), use)).action
        assert first.tool == "web_search"
        found = tried(first, PAGE)
        second = (await GatherSources()(request(found), use)).action
        assert (second.tool, second.args) == ("read_page", {"url": PAGE.name})
        nothing = tried(first)
        other = (await GatherSources()(request(nothing), use)).action
        assert (other.tool, other.args) == ("web_search", {"query": "something else"})
        assert len(server.requests) == 1


async def test_it_is_done_when_its_calls_are_made_and_something_was_found(
    use_of, documents
) -> None:
    def reflect(seen: Observation, *before: Attempt) -> ReflectRequest:
        asked = request(*before)
        return ReflectRequest(
            brief=asked.brief, task=asked.task, action=SEARCHED.action, observation=seen
        )

    async with use_of(ScriptedResearch([])) as (use, _):
        judge = ReflectOnSources()
        found, nothing = Observation(ok=True, sources=[TYRES]), Observation(ok=True)
        broken = Observation(ok=False, error="it broke")
        none = tried(SEARCHED.action)
        assert (await judge(reflect(found), use)).verdict == "continue"
        assert (await judge(reflect(broken), use)).verdict == "continue"
        assert (await judge(reflect(nothing, SEARCHED), use)).verdict == "done"
        assert (await judge(reflect(nothing, none), use)).verdict == "retry"
        last = await judge(reflect(broken, none), use)
        assert (last.verdict, last.reason) == ("retry", "it broke")
