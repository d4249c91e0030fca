"""What is kept of a task and of a run, in a store of the process's own memory."""

from langgraph.store.memory import InMemoryStore
from openai_server import Reply

from replan.nodes import contract
from replan.nodes.remember.store import RememberInStore
from replan.state.memory import Memory
from replan.state.task import Action, Attempt, Check, CheckResult, Observation, Task

GOAL = "Write the sum of a.csv to sum.txt"
CHECK = Check(kind="file_exists", path="sum.txt")


def attempt(ok: bool, passed: bool, code: str = "print(1)") -> Attempt:
    return Attempt(
        action=Action(tool="python", args={"code": code}),
        observation=Observation(ok=ok, error="" if ok else "KeyError: 'x'"),
        evidence=[CheckResult(check=CHECK, passed=passed)],
        verdict="done" if passed else "retry",
        reason="" if passed else "it crashed",
    )


def task(status: str, *attempts: Attempt) -> Task:
    return Task.model_validate(
        {
            "id": "t1",
            "title": GOAL,
            "status": status,
            "rounds": len(attempts),
            "attempts": [one.model_dump() for one in attempts],
            "start": {"*": "0", "*.*": "csv"},
        }
    )


async def remembered(use_of, request: contract.RememberRequest, *replies: Reply) -> list[Memory]:
    """What is in the store behind it."""
    async with use_of(list(replies), InMemoryStore()) as (use, _):
        done = await RememberInStore()(request, use)
        recalled = await use.memory.recall(GOAL, most=20)
        assert {one.id for one in done.learned} == {one.memory.id for one in recalled.found}
        return [one.memory for one in recalled.found]


async def test_a_task_that_passed_leaves_its_calls_but_not_those_that_failed(use_of) -> None:
    ended = task("done", attempt(False, False, "print(x)"), attempt(True, True))
    [skill] = await remembered(
        use_of, contract.RememberRequest(goal=GOAL, status="done", task=ended)
    )
    assert (skill.kind, skill.outcome, skill.source.thread) == ("skill", "done", "a-thread")
    assert [call["args"]["code"] for call in skill.detail["calls"]] == ["print(1)"]


async def test_what_is_written_anew_later_is_no_part_of_it(use_of) -> None:
    first, wrong, last = (attempt(True, True, f"print({n})") for n in range(3))
    first.verdict, wrong.verdict = "continue", "retry"
    for one in (first, wrong, last):
        one.observation.changed = ["sum.txt"]
    request = contract.RememberRequest(
        goal=GOAL, status="done", task=task("done", first, wrong, last)
    )
    [skill] = await remembered(use_of, request)
    assert [call["args"]["code"] for call in skill.detail["calls"]] == ["print(2)"]


async def test_what_the_last_call_builds_on_is_part_of_it(use_of) -> None:
    first, last = attempt(True, True, "print(0)"), attempt(True, True, "print(1)")
    first.verdict, first.observation.changed = "continue", ["parts.txt"]
    last.observation.changed = ["sum.txt"]
    request = contract.RememberRequest(goal=GOAL, status="done", task=task("done", first, last))
    [skill] = await remembered(use_of, request)
    assert [call["args"]["code"] for call in skill.detail["calls"]] == ["print(0)", "print(1)"]


async def test_a_task_without_proof_leaves_none(use_of) -> None:
    unproven = task("done", attempt(True, True))
    unproven.attempts[0].evidence = []
    request = contract.RememberRequest(goal=GOAL, status="done", task=unproven)
    assert await remembered(use_of, request) == []


async def test_a_task_that_failed_leaves_what_was_tried(use_of) -> None:
    ended = task("failed", attempt(False, False), attempt(False, False))
    [kept] = await remembered(
        use_of, contract.RememberRequest(goal=GOAL, status="failed", task=ended)
    )
    assert (kept.kind, kept.outcome) == ("experience", "failed")
    assert kept.text.endswith("failed. Tried: python: KeyError: 'x'")


async def test_a_run_that_went_straight_asks_no_model(use_of) -> None:
    request = contract.RememberRequest(
        goal=GOAL, status="done", tasks=[task("done")], checks=[CHECK], start={"*": "0"}
    )
    kept = await remembered(use_of, request)
    assert sorted(one.kind for one in kept) == ["experience", "skill"]


async def test_what_the_model_finds_worth_knowing_is_kept(use_of) -> None:
    request = contract.RememberRequest(goal=GOAL, status="failed", lessons=["python: KeyError"])
    told = {"lesson": "Read the header first.", "facts": ["a.csv of the sum has no header."]}
    kept = await remembered(use_of, request, Reply(content=told))
    by_kind = {one.kind: one for one in kept}
    assert by_kind["fact"].text == "a.csv of the sum has no header."
    assert "Read the header first." in by_kind["experience"].text
    assert "KeyError" in by_kind["experience"].text
    assert by_kind["experience"].outcome == "failed"


async def test_a_stopped_run_asks_no_model(use_of) -> None:
    request = contract.RememberRequest(goal=GOAL, status="stopped", lessons=["python: KeyError"])
    [kept] = await remembered(use_of, request)
    assert kept.outcome == "stopped"


async def test_what_holds_a_key_is_not_kept(use_of) -> None:
    ended = task("failed", attempt(False, False))
    ended.attempts[0].observation.error = "no such key: test-key"
    request = contract.RememberRequest(goal=GOAL, status="failed", task=ended)
    assert await remembered(use_of, request) == []


async def test_a_model_that_refuses_costs_the_run_nothing(use_of) -> None:
    request = contract.RememberRequest(goal=GOAL, status="done", lessons=["python: KeyError"])
    async with use_of(lambda body: Reply(refusal="No."), InMemoryStore()) as (use, _):
        [kept] = (await RememberInStore()(request, use)).learned
        assert "KeyError" in kept.text


async def test_a_run_with_the_longest_goal_is_remembered(use_of) -> None:
    """The goal as it is would be more than a memory may hold, and the run would end in an error."""
    goal = "Write it down. " * 1300
    request = contract.RememberRequest(goal=goal, status="failed", lessons=["it was long " * 900])
    async with use_of(lambda body: Reply(refusal="No."), InMemoryStore()) as (use, _):
        result = await RememberInStore()(request, use)
    assert [one.kind for one in result.learned] == ["experience"]
