"""Where a run goes next: pure functions, no model, no database."""

from typing import Any

import pytest
from langgraph.types import Send

from replan.graphs.branch import after_attempt
from replan.graphs.limits import limit_reached, remaining_seconds
from replan.graphs.routes import dispatch, route_plan, route_review
from replan.graphs.state_view import ready_tasks
from replan.state.agent_state import AgentState
from replan.state.context import Context
from replan.state.task import Action, Attempt, Check, Observation, Task
from replan.state.usage import Usage


def task(name: str, *after: str, **more: Any) -> Task:
    return Task(id=name, title=f"Task {name}", depends_on=list(after), **more)


def state(*tasks: Task, **more: Any) -> AgentState:
    return AgentState(
        goal="a goal",
        workspace="/w",
        tasks={each.id: each.model_dump() for each in tasks},
        **more,
    )


def sent(routed: list[Send] | str) -> list[str]:
    assert isinstance(routed, list)
    assert {send.node for send in routed} == {"select_tool"}
    return [send.arg["task"]["id"] for send in routed]


@pytest.mark.parametrize(
    ("tasks", "ready"),
    [
        ([], []),
        ([task("t1"), task("t2")], ["t1", "t2"]),
        ([task("t1"), task("t2", "t1")], ["t1"]),
        ([task("t1", status="done"), task("t2", "t1")], ["t2"]),
        ([task("t1", status="dropped"), task("t2", "t1")], ["t2"]),
        ([task("t1", status="failed"), task("t2", "t1"), task("t3")], ["t3"]),
        ([task("t1", status="done"), task("t2"), task("t3", "t1", "t2")], ["t2"]),
        ([task("t1", "nobody")], []),
    ],
)
def test_ready_are_open_tasks_whose_dependencies_are_settled(
    tasks: list[Task], ready: list[str]
) -> None:
    assert [each.id for each in ready_tasks(tasks)] == ready


def test_plan_leads_to_the_ready_tasks_or_to_review() -> None:
    assert sent(route_plan(state(task("t1"), task("t2", "t1")), Context())) == ["t1"]
    assert route_plan(state(), Context()) == "review"
    assert route_plan(state(task("t1", status="done")), Context()) == "review"
    used_up = state(task("t1"), usage=Usage(steps=30))
    assert route_plan(used_up, Context()) == "review"


@pytest.mark.parametrize(
    ("decision", "where"),
    [("replan", "plan"), ("done", "report"), ("failed", "report"), ("stopped", "report")],
)
def test_review_leads_where_it_decided(decision: str, where: str) -> None:
    assert route_review(state(task("t1"), decision=decision), Context()) == where


def test_review_goes_on_with_what_is_ready_and_never_in_circles() -> None:
    going = state(task("t1", status="done"), task("t2", "t1"), decision="next")
    assert sent(route_review(going, Context())) == ["t2"]
    stuck = state(task("t1", "nobody"), decision="next")
    assert route_review(stuck, Context()) == "report"


@pytest.mark.parametrize(
    ("limits", "usage", "count"),
    [
        ({}, Usage(), 2),
        ({"max_parallel": 1}, Usage(), 1),
        ({"max_parallel": 5}, Usage(), 4),
        ({"max_parallel": 4, "max_steps": 10}, Usage(steps=7), 3),
        ({"max_parallel": 4, "max_steps": 10}, Usage(steps=9), 1),
    ],
)
def test_no_more_tasks_are_sent_out_than_may_run_and_steps_are_left(
    limits: dict[str, int], usage: Usage, count: int
) -> None:
    four = state(task("t1"), task("t2"), task("t3"), task("t4"), usage=usage)
    assert sent(dispatch(four, Context(**limits))) == ["t1", "t2", "t3", "t4"][:count]


def test_side_by_side_each_works_in_a_copy_and_alone_in_the_workspace() -> None:
    [alone] = dispatch(state(task("t1")), Context())
    assert "apart" not in alone.arg
    assert (alone.arg["branch"], alone.arg["contender"]) == ("t1", 0)
    two = dispatch(state(task("t1"), task("t2")), Context())
    assert [send.arg["apart"] for send in two] == [{"base": "", "revision": ""}] * 2


def test_a_task_goes_on_in_its_copy_also_alone() -> None:
    copy = {"base": "7", "revision": "9"}
    [alone] = dispatch(state(task("t1", status="done"), task("t2"), copies={"t2": copy}), Context())
    assert alone.arg["apart"] == copy


@pytest.mark.parametrize(
    ("limits", "usage", "names"),
    [
        ({}, Usage(), ["t1/1.1", "t1/1.2", "t2/1.1", "t2/1.2"]),
        ({"max_parallel": 1}, Usage(), ["t1/1.1", "t1/1.2"]),
        # For the second task no step would be left.
        ({"max_steps": 10}, Usage(steps=7), ["t1/1.1", "t1/1.2"]),
        ({"max_steps": 10}, Usage(steps=9), ["t1/1.1"]),
    ],
)
def test_attempts_side_by_side_are_sent_out_with_room_for_each(
    limits: dict[str, int], usage: Usage, names: list[str]
) -> None:
    three = state(task("t1"), task("t2"), task("t3"), usage=usage)
    sends = dispatch(three, Context(best_of=2, **limits))
    assert [send.arg["branch"] for send in sends] == names
    assert all("apart" in send.arg for send in sends) == (len(names) > 1)
    assert {send.arg["shared"] for send in sends} == {len(names) > 1}


def test_a_branch_carries_its_own_part_of_the_state_only() -> None:
    unchanged = Check(kind="file_unchanged", path="data.csv")
    [send] = dispatch(
        state(
            task("t1", status="done", result="42\n", writes=["a.py"]),
            task("t2"),
            checks=[unchanged.model_dump(), Check(kind="tests_pass").model_dump()],
            usage=Usage(seconds=1795.0),
            report="of an earlier goal",
        ),
        Context(),
    )
    carried = send.arg
    assert carried["task"]["id"] == "t2"
    assert carried["protected"] == ["data.csv"]
    assert any("Task t1" in line and "42" in line for line in carried["earlier"])
    assert carried["remaining_seconds"] == 5.0
    assert not {"tasks", "checks", "usage", "report"} & carried.keys()


@pytest.mark.parametrize(
    ("usage", "said"),
    [
        (Usage(), ""),
        (Usage(steps=4, seconds=9.9, input_tokens=60, output_tokens=39, cost_usd=0.49), ""),
        (Usage(steps=5), "5 steps (--max-steps)"),
        (Usage(seconds=10.0), "10 seconds (--max-seconds)"),
        (Usage(input_tokens=60, output_tokens=40), "100 tokens (--max-tokens)"),
        (Usage(cost_usd=0.5), "0.5 US dollars (--max-cost)"),
        (Usage(cost_usd=None), ""),
    ],
)
def test_a_limit_that_is_reached_is_named(usage: Usage, said: str) -> None:
    limits = Context(max_steps=5, max_seconds=10, max_tokens=100, max_cost=0.5)
    assert bool(limit_reached(usage, limits)) == bool(said)
    assert said in limit_reached(usage, limits)


def test_zero_is_no_limit_of_tokens_and_dollars() -> None:
    much = Usage(input_tokens=10**9, output_tokens=10**9, cost_usd=1e6)
    assert limit_reached(much, Context()) == ""


def test_a_call_always_has_a_second() -> None:
    assert remaining_seconds(Usage(seconds=4.0), Context(max_seconds=10)) == 6.0
    assert remaining_seconds(Usage(seconds=99.0), Context(max_seconds=10)) == 1.0


def attempt(verdict: Any, text: str = "out") -> Attempt:
    action = Action(tool="python", args={"code": text})
    return Attempt(action=action, observation=Observation(ok=True, text=text), verdict=verdict)


def test_a_task_fails_with_its_last_permitted_attempt() -> None:
    one = after_attempt(task("t1"), attempt("retry"), max_attempts=2)
    assert (one.status, one.tries, one.rounds) == ("open", 1, 1)
    looked = after_attempt(one, attempt("continue"), max_attempts=2)
    assert (looked.status, looked.tries, looked.rounds) == ("open", 1, 2)
    two = after_attempt(looked, attempt("retry"), max_attempts=2)
    assert (two.status, two.tries, two.rounds) == ("failed", 2, 3)
    done = after_attempt(looked, attempt("done", "42"), max_attempts=2)
    assert (done.status, done.result) == ("done", "42")


def test_a_task_keeps_its_latest_attempts_only() -> None:
    many = task("t1")
    for number in range(10):
        many = after_attempt(many, attempt("continue", str(number)), max_attempts=3)
    assert [each.observation.text for each in many.attempts] == ["7", "8", "9"]
    assert many.rounds == 10


def test_looks_that_nobody_was_asked_for_are_kept_with_them() -> None:
    look = attempt("continue", "seen")
    look.action.unasked = True
    many = after_attempt(task("t1"), look, max_attempts=3)
    for number in range(10):
        many = after_attempt(many, attempt("continue", str(number)), max_attempts=3)
    assert [each.observation.text for each in many.attempts] == ["seen", "7", "8", "9"]
