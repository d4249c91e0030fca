"""No progress is noticed from what was done and seen: pure functions, and whole runs."""

import json
from typing import Any

import pytest
from scripted_agent import Move as Call
from scripted_agent import ScriptedAgent

from replan.graphs.guard import (
    APPROACHES,
    Move,
    Progress,
    avoided,
    judged,
    move_of,
    noted,
    stuck,
    taken_up,
)
from replan.nodes.contract import ReflectRequest, ReflectResult, ReviewRequest, ReviewResult, Use
from replan.nodes.reflect.checks import ReflectByChecks
from replan.state.task import Action, Attempt, Check, CheckResult, Observation

GOAL = "Write the word hello to hello.txt"


def move(action: str, *facts: str, files: str = "", done: bool = False) -> Move:
    return Move(action=action, told=f"python {action}", files=files, facts=list(facts), done=done)


def after(*moves: Move) -> Progress:
    return noted(Progress(), moves)


def test_the_same_action_three_times_for_nothing() -> None:
    moves = [move("a", "text")] * 3
    assert stuck(after(*moves[:2])) == ""
    assert stuck(after(*moves)) == "the same action was taken 3 times in a row: python a"


def test_the_same_action_that_leaves_other_files_each_time_is_borne_longer() -> None:
    moves = [move("a", "ok", files=f"digest {number}") for number in range(5)]
    assert stuck(after(*moves[:4])) == ""
    assert "5 times in a row" in stuck(after(*moves))


def test_two_actions_by_turns() -> None:
    moves = [move("a", "of a"), move("b", "of b")] * 2
    assert stuck(after(*moves[:3])) == ""
    assert stuck(after(*moves)) == "two actions were taken by turns, 4 times: python a and python b"
    # Mend, test, mend, test: the tests are the same call, the mending is not.
    mending = [
        step
        for number in range(6)
        for step in (move(f"edit {number}", files=f"f{number}"), move("test", f"error {number}"))
    ]
    assert stuck(after(*mending)) == ""


def test_files_put_back_as_they_were_are_no_new_files() -> None:
    turns = [move("a", "ok", files="one"), move("b", "ok", files="two")] * 2
    assert "by turns" in stuck(after(*turns))


def test_steps_that_bring_nothing() -> None:
    moves = [move(action, "seen") for action in "abcd"]
    assert stuck(after(*moves[:3])) == ""
    assert (
        stuck(after(*moves))
        == "3 steps in a row brought neither a new file nor a new fact or error"
    )


def test_new_facts_alone_do_not_go_on_for_ever() -> None:
    reads = [move(f"read {number}", f"text {number}") for number in range(6)]
    assert stuck(after(*reads[:5])) == ""
    assert stuck(after(*reads)) == "6 steps in a row left the files as they were"
    assert stuck(after(*reads[:5], move("write", files="new"), *reads[:2])) == ""


def test_code_that_is_mended_with_a_new_error_each_time_is_progress() -> None:
    rounds = [
        move(f"edit {number}", f"assert {number} == 0", files=f"code {number}")
        for number in range(25)
    ]
    assert all(stuck(after(*rounds[:count])) == "" for count in range(25))


def test_a_finished_task_wipes_the_slate() -> None:
    known = after(move("a", "text"), move("a", "text"), move("b", files="f", done=True))
    assert stuck(noted(known, [move("b", "text"), move("b", "text")])) == ""


def test_first_it_replans_then_takes_another_approach_then_stops() -> None:
    known, decisions, reasons = Progress(), [], []
    for _ in range(12):
        known = noted(known, [move("a", "text")])
        decision, reason, known = judged("next", "", known, len(decisions), 100)
        if decision != "next":
            decisions.append(decision)
            reasons.append(reason)
        if decision == "stopped":
            break
    assert decisions == ["replan"] * APPROACHES + ["stopped"]
    assert "another approach" in reasons[1]
    assert "another approach" not in reasons[0]
    assert avoided(known) == ["python a"]


def test_it_stops_at_once_where_no_replan_is_left() -> None:
    known = after(*[move("a", "text")] * 3)
    assert judged("next", "", known, 2, 2).decision == "stopped"


@pytest.mark.parametrize("decision", ["done", "failed", "stopped"])
def test_an_end_is_left_as_it_is(decision: Any) -> None:
    known = after(*[move("a", "text")] * 3)
    assert judged(decision, "why", known, 0, 2) == (decision, "why", known)


def test_a_replan_for_another_reason_says_both() -> None:
    reason = judged("replan", "it failed", after(*[move("a", "text")] * 3), 0, 2).reason
    assert reason.startswith("it failed. There is no progress: the same action")


def test_a_resumed_run_gets_another_chance_and_still_knows_what_was_tried() -> None:
    stopped = judged("next", "", after(*[move("a", "text")] * 3), 2, 2).progress
    again = taken_up(stopped)
    assert stuck(again) == ""
    assert avoided(again) == ["python a"]
    assert judged("next", "", noted(again, [move("a"), move("b")]), 0, 2).decision == "next"


def test_what_is_kept_does_not_grow() -> None:
    sizes = []
    known = Progress()
    for number in range(400):
        known = noted(known, [move(f"{number:012}", f"{number + 1000:012}", files=f"{number:012}")])
        known = judged("next", "", known, 0, 10**6).progress
        sizes.append(len(json.dumps(known)))
    assert max(sizes) < 4000
    assert sizes[399] <= sizes[100]


def attempt(text: str, **more: Any) -> Attempt:
    action = Action(tool="python", args={"code": "x" * 400}, thought="not counted")
    return Attempt(action=action, observation=Observation(ok=True, text=text, **more))


def test_a_move_is_bounded_and_knows_the_same_result_again() -> None:
    one, two = (
        move_of(attempt("3 passed in 0.02s"), "", False),
        move_of(attempt("3 passed in 0.31s"), "", False),
    )
    assert one == two
    assert one["facts"] != move_of(attempt("2 passed in 0.02s"), "", False)["facts"]
    assert len(json.dumps(one)) < 500


def test_a_call_that_was_not_made_again_brings_nothing() -> None:
    assert move_of(attempt("", repeated=True, error="before"), "", False)["facts"] == []


def test_a_check_that_fails_in_another_way_is_a_new_error() -> None:
    def seen(detail: str) -> list[str]:
        failing = CheckResult(check=Check(kind="tests_pass"), passed=False, detail=detail)
        tried = attempt("ran").model_copy(update={"evidence": [failing]})
        return move_of(tried, "", False)["facts"]

    assert seen("1 == 2") != seen("3 == 4")
    assert seen("1 == 2") == seen("1 == 2")


async def always_retry(request: ReflectRequest, use: Use) -> ReflectResult:
    return ReflectResult(verdict="retry", reason="again")


async def always_continue(request: ReflectRequest, use: Use) -> ReflectResult:
    return ReflectResult(verdict="continue", reason="going on")


async def always_on(request: ReviewRequest, use: Use) -> ReviewResult:
    return ReviewResult(decision="next")


def _same(step: int) -> Call:
    return Call("python", "print('elsewhere')")


def _turns(step: int) -> Call:
    return Call("python", f"print('turn {step % 2}')")


def _looks(step: int) -> Call:
    return Call("python", f"print('new and useless', {step})")


def _errors(step: int) -> Call:
    return Call("python", f"raise ValueError('of kind {step}')")


def _appends(step: int) -> Call:
    return Call("python", "open('log.txt', 'a').write('x')")


@pytest.mark.parametrize("reflect", [always_retry, always_continue])
@pytest.mark.parametrize("kind", [_same, _turns, _looks, _errors, _appends])
async def test_a_runaway_is_stopped_by_the_guard(start_agent, kind: Any, reflect: Any) -> None:
    steps = iter(range(100))
    model = ScriptedAgent(lambda prompt: kind(next(steps)))
    roles = {"reflect": reflect, "review": always_on}
    async with start_agent(model, roles) as agent:
        result = await agent.run(GOAL, max_attempts=100, max_replans=100, max_steps=100)
        assert result["status"] == "stopped"
        assert "There is no progress: " in result["report"]
        assert 5 <= result["usage"]["steps"] <= 12
        assert model.asked.count("replan") == APPROACHES
        asked = json.dumps(agent.server.requests[-1]["messages"])
        assert "led nowhere and must not be made again" in asked
        replans = [
            body
            for body in agent.server.requests
            if body.get("response_format", {}).get("json_schema", {}).get("name") == "replan"
        ]
        assert "There is no progress" in json.dumps(replans[0]["messages"])
        assert "another approach" in json.dumps(replans[1]["messages"])
        assert len(json.dumps((await agent.values())["progress"])) < 4000
        # Stopped is not lost: with a model that does it, the run goes on.
        await agent.graph.aupdate_state(agent.config, {"status": ""}, as_node="reflect")
        assert (await agent.graph.aget_state(agent.config)).next == ("review",)


async def test_endless_reads_are_stopped_by_the_guard(start_agent) -> None:
    steps = iter(range(100))
    model = ScriptedAgent(lambda prompt: Call("read_file", path=f"part{next(steps)}.txt"))
    async with start_agent(model, {"reflect": always_retry}) as agent:
        for number in range(20):
            (agent.workspace / f"part{number}.txt").write_text(f"this is part {number}")
        result = await agent.run(GOAL, max_attempts=100, max_replans=100, max_steps=100)
        assert result["status"] == "stopped"
        assert "left the files as they were" in result["report"]
        assert result["usage"]["steps"] <= 12


async def test_honest_work_is_left_alone(start_agent) -> None:
    """It looks three times, fails twice, and writes a draft, before the file is there."""
    moves = [
        *[Call("python", f"print(open('part{number}.txt').read())") for number in range(3)],
        Call("python", "open('draft.txt', 'w').write('hel')"),
        Call("python", "open('draft.txt', 'w').write(part)"),
        Call("python", "open('part9.txt')"),
        Call("python", "print(open('part3.txt').read())"),
        Call("python", "open('hello.txt', 'w').write('hello')"),
    ]
    taken = iter(moves)
    model = ScriptedAgent(lambda prompt: next(taken))
    async with start_agent(model, {"reflect": ReflectByChecks()}) as agent:
        for number in range(4):
            (agent.workspace / f"part{number}.txt").write_text(f"this is part {number}")
        result = await agent.run(GOAL, max_attempts=20)
        assert result["status"] == "done"
        assert (await agent.values())["replans"] == 0
