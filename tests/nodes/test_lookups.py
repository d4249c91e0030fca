"""Planning look-ups: what is asked, and what becomes of the answer."""

from typing import Any

import pytest

from replan.nodes.contract import Brief, PlanRequest
from replan.nodes.plan.compiler import PlanCompiler
from replan.nodes.plan.rewoo import PlanRewoo
from replan.state.task import Check, Task

FILES = ["lima.md", "oslo.md", "riga.md"]
READ = [{"tool": "read_file", "path": path} for path in FILES]


def request(goal: str, *writes: str, checks: list[Check] | None = None) -> PlanRequest:
    task = Task(id="t1", title=goal, writes=list(writes))
    return PlanRequest(brief=Brief(goal=goal), tasks=[task], checks=checks or [], existing=FILES)


def asked_for(server: Any) -> list[str]:
    [body] = server.requests
    return list(body["response_format"]["json_schema"]["schema"]["properties"])


@pytest.mark.parametrize(
    ("goal", "writes", "asked", "status"),
    [
        ("Which of them is the biggest?", (), ["calls"], "dropped"),
        ("哪个最大？", (), ["calls"], "dropped"),
        ("Tell me about them", (), ["calls", "then"], "dropped"),
        ("Could you rename them to .txt?", (), ["calls", "then"], "dropped"),
        ("能不能把它们改名？", (), ["calls", "then"], "dropped"),
        ("Put it into sum.txt", ("sum.txt",), ["calls"], "open"),
    ],
)
async def test_whether_an_answer_is_wanted_is_asked_where_it_is_not_plain(
    use_of, goal: str, writes: tuple[str, ...], asked: list[str], status: str
) -> None:
    answer = {"calls": READ, "then": "answer"}
    async with use_of([{key: answer[key] for key in asked}]) as (use, server):
        result = await PlanRewoo()(request(goal, *writes), use)
        assert asked_for(server) == asked
    [task] = [one for one in result.tasks if one.id == "t1"]
    assert task.status == status


async def test_where_something_has_to_change_no_answer_is_enough(use_of) -> None:
    changed = [Check(kind="workspace_changed")]
    async with use_of([{"calls": READ}]) as (use, _):
        result = await PlanRewoo()(request("Is it so?", checks=changed), use)
    assert next(one for one in result.tasks if one.id == "t1").status == "open"


async def test_without_anything_to_look_up_the_tasks_are_as_they_were(use_of) -> None:
    async with use_of([{"calls": [], "then": "answer"}]) as (use, _):
        [task] = (await PlanRewoo()(request("Say hello"), use)).tasks
    assert (task.id, task.status, task.depends_on) == ("t1", "open", [])


async def test_files_whose_names_the_goal_says_are_told(use_of) -> None:
    async with use_of([{"calls": READ}]) as (use, server):
        await PlanRewoo()(request("How big are Oslo and Lima?"), use)
        told = server.requests[0]["messages"][-1]["content"]
    assert "stand in the names of: lima.md, oslo.md.\n" in told


async def test_several_files_are_planned_as_tasks_in_the_same_question(use_of) -> None:
    drafts = [
        {"title": "Write a.txt from Oslo", "writes": ["a.txt"]},
        {"title": "Write b.txt out of a.txt", "writes": ["b.txt"]},
    ]
    async with use_of([{"calls": READ[:1], "tasks": drafts}]) as (use, server):
        asked = request("Write a.txt and b.txt", "a.txt", "b.txt")
        result = await PlanCompiler()(asked, use)
        assert asked_for(server) == ["calls", "tasks"]
    known = {one.id: one for one in result.tasks}
    assert [(one.id, one.status) for one in result.tasks if not one.calls] == [
        ("t1", "dropped"), ("t2", "open"), ("t3", "open")
    ]  # fmt: skip
    [look] = [one for one in result.tasks if one.calls]
    assert known["t2"].depends_on == [look.id]
    assert known["t3"].depends_on == [look.id, "t2"]


async def test_names_are_of_calls_that_stand_before(use_of) -> None:
    calls = [
        {"tool": "read_file", "path": "$call1"},
        {"tool": "read_file", "path": "$call3"},
        {"tool": "read_file", "path": "lima.md"},
    ]
    async with use_of([{"calls": calls}]) as (use, _):
        tasks = (await PlanCompiler()(request("Which?"), use)).tasks[1:]
    assert [(one.calls == [], one.depends_on) for one in tasks] == [
        (True, []), (True, []), (False, [])
    ]  # fmt: skip
