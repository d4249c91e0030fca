"""Numbers of sources in a report, and the list below it."""

import pytest
from scripted_agent import ScriptedAgent

from replan.nodes.contract import Brief, ReportRequest
from replan.nodes.report.citations import listed, numbered, sources_of, with_sources
from replan.nodes.report.llm import ReportByModel
from replan.nodes.report.template import ReportByTemplate
from replan.state.task import Action, Attempt, Observation, Source, Task

A, B, C = "http://a.example/", "papers/b.md, line 3", "papers/c.md, line 1"


def task(name: str, *sources: str, **more: object) -> Task:
    fields = {"id": name, "title": f"Task {name}", "status": "done", "sources": list(sources)}
    return Task.model_validate({**fields, **more})


def test_each_source_has_one_number_in_the_order_of_finding() -> None:
    tasks = [task("t1", A, B), task("t2", B, C), task("t3", "x", status="dropped")]
    numbers = numbered(tasks)
    assert numbers == {A: 1, B: 2, C: 3}
    assert sources_of(tasks[1], numbers) == f"From [2] {B}; [3] {C}"
    assert listed(numbers) == ["Sources:", f"[1] {A}", f"[2] {B}", f"[3] {C}"]
    assert numbered([task("t1")]) == {}


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        ("It is so [2].", f"It is so [2].\nSources:\n[2] {B}"),
        ("It is so [1, 3].", f"It is so [1, 3].\nSources:\n[1] {A}\n[3] {C}"),
        ("So [7]. And so [1].", f"So. And so [1].\nSources:\n[1] {A}"),
        ("So [1, 9].", f"So [1].\nSources:\n[1] {A}"),
        ("It is so.", f"It is so.\nSources:\n[1] {A}\n[2] {B}\n[3] {C}"),
        ("See [2](http://x).", f"See [2](http://x).\nSources:\n[1] {A}\n[2] {B}\n[3] {C}"),
    ],
)
def test_only_what_has_a_source_is_cited(told: str, shown: str) -> None:
    assert with_sources(told, {A: 1, B: 2, C: 3}) == shown


def test_without_sources_the_text_stays() -> None:
    assert with_sources("The list is [1].", {}) == "The list is [1]."


TEXT = "All of what the page says."
PAGE = Source(kind="page", name=A, text=TEXT)
FOUND = task(
    "t1",
    A,
    result="short",
    attempts=[
        Attempt(
            action=Action(tool="read_page", args={"url": A}),
            observation=Observation(ok=True, text=TEXT, sources=[PAGE]),
            verdict="done",
        )
    ],
)
REQUEST = ReportRequest(brief=Brief(goal="What is it?"), status="done", tasks=[FOUND])


async def test_the_model_is_told_the_numbers_and_its_report_lists_the_sources(use_of) -> None:
    async with use_of(ScriptedAgent([], report="It is so [1] [5].")) as (use, server):
        report = (await ReportByModel()(REQUEST, use)).report
    assert report == f"It is so [1].\nSources:\n[1] {A}"
    asked = server.requests[0]["messages"][-1]["content"]
    assert "All of what the page says.\n  From [1] http://a.example/" in asked


async def test_without_a_model_they_stand_with_what_was_found() -> None:
    report = (await ReportByTemplate()(REQUEST, None)).report
    assert report == (f"Done.\n- Task t1: done\n  short\n  From [1] {A}\nSources:\n[1] {A}")
