"""Order, checks, and another way after a failure."""

import pytest
from scripted_agent import ScriptedAgent

from replan.nodes.contract import Brief, PlanRequest
from replan.nodes.plan.acceptance import share_out
from replan.nodes.plan.dag import PlanDag
from replan.nodes.plan.sequence import PlanSequence
from replan.state.task import Action, Attempt, Check, CheckResult, Observation, Task

GOAL = "Write prime.py, and tests for it in test_prime.py"


def exists(path: str) -> Check:
    return Check(kind="file_exists", path=path)


def task(name: str, *writes: str, title: str = "", **more: object) -> Task:
    fields = {"id": name, "title": title or f"Task {name}", "writes": list(writes), **more}
    return Task.model_validate(fields)


def request(*tasks: Task, problem: str = "", checks: list[Check] | None = None) -> PlanRequest:
    return PlanRequest(
        brief=Brief(goal=GOAL), tasks=list(tasks), checks=checks or [], problem=problem
    )


def test_each_check_goes_to_the_task_that_can_meet_it() -> None:
    one, two = task("t1", "prime.py"), task("t2", "test_prime.py")
    share_out(
        [
            exists("prime.py"),
            exists("test_prime.py"),
            Check(kind="tests_pass", path="test_prime.py"),
            Check(kind="tests_pass"),
            Check(kind="file_unchanged", path="data.csv"),
        ],
        [one, two],
    )
    assert one.checks == [exists("prime.py")]
    assert two.checks == [
        exists("test_prime.py"),
        Check(kind="tests_pass", path="test_prime.py"),
        Check(kind="tests_pass"),
    ]


def test_code_that_is_changed_has_to_be_there_and_whole() -> None:
    mend = task("t1", "calc.py", "notes.md", "test_calc.py")
    share_out([Check(kind="tests_pass", path="test_calc.py")], [mend])
    assert mend.checks == [exists("calc.py"), Check(kind="tests_pass", path="test_calc.py")]


def test_sharing_out_anew_replaces_the_checks_and_needs_a_task() -> None:
    one = task("t1", "a.txt", checks=[exists("old.txt")])
    share_out([exists("a.txt")], [one])
    share_out([exists("a.txt")], [one])
    assert one.checks == [exists("a.txt")]
    share_out([exists("a.txt")], [])


async def test_in_a_sequence_each_waits_for_the_one_before(use_of) -> None:
    async with use_of([]) as (use, server):
        asked = request(task("t1", "a.txt"), task("t2", "b.txt"), task("t3"))
        result = await PlanSequence()(asked, use)
        assert server.requests == []
    assert [each.depends_on for each in result.tasks] == [[], ["t1"], ["t2"]]


@pytest.mark.parametrize(
    ("tasks", "waiting"),
    [
        ([task("t1", "a.txt"), task("t2", "b.txt")], [[], []]),
        ([task("t1", "a.txt"), task("t2", "b.txt", title="Sum a.txt up")], [[], ["t1"]]),
        ([task("t1", "prime.py"), task("t2", "test_prime.py")], [[], ["t1"]]),
        ([task("t1", "a.csv"), task("t2", "test_prime.py")], [[], []]),
        ([task("t1"), task("t2", "b.txt")], [[], ["t1"]]),
        ([task("t1", "a.txt"), task("t2")], [[], ["t1"]]),
    ],
)
async def test_in_a_dag_only_those_wait_that_need_another(
    use_of, tasks: list[Task], waiting: list[list[str]]
) -> None:
    async with use_of([]) as (use, _):
        result = await PlanDag()(request(*tasks), use)
    assert [each.depends_on for each in result.tasks] == waiting


def failed() -> Task:
    attempt = Attempt(action=Action(tool="python"), observation=Observation(ok=False))
    return task(
        "t2", "b.txt", title="Write b", status="failed", tries=3, rounds=4, attempts=[attempt]
    )


@pytest.mark.parametrize("planner", [PlanSequence, PlanDag])
async def test_after_a_failure_what_is_not_done_is_planned_in_another_way(use_of, planner) -> None:
    before = [task("t1", "a.txt", status="done"), failed(), task("t3", "c.txt")]
    model = ScriptedAgent([])
    async with use_of(model) as (use, server):
        asked = request(*before, problem="b.txt is empty", checks=[exists("b.txt")])
        asked.avoid = ["write_file b.txt"]
        result = await planner()(asked, use)
        assert "b.txt is empty" in server.requests[0]["messages"][-1]["content"]
        assert server.requests[0]["temperature"] > 0
    by_id = {each.id: each for each in result.tasks}
    assert "t1" not in by_id  # Done stays done.
    assert by_id["t2"].status == by_id["t3"].status == "dropped"
    mended = by_id["t4"]
    assert (mended.status, mended.tries, mended.rounds, mended.attempts) == ("open", 0, 0, [])
    assert (mended.writes, mended.checks) == (["b.txt"], [exists("b.txt")])
    assert mended.title.splitlines()[0] == "Write b"
    assert "b.txt is empty" in mended.title
    assert "scripted" in mended.title
    assert by_id["t5"].writes == ["c.txt"]
    assert len(by_id) == 4


async def test_what_failed_for_the_first_time_is_begun_afresh_without_asking(use_of) -> None:
    async with use_of(ScriptedAgent([])) as (use, server):
        first = await PlanSequence()(request(failed(), problem="b.txt is empty"), use)
        assert server.requests == []
        again = first.tasks[-1].model_copy(update={"status": "failed"})
        second = await PlanSequence()(request(*first.tasks[:-1], again, problem="still"), use)
        assert len(server.requests) == 1
    assert first.tasks[-1].title == "Write b\nWhat went wrong before: b.txt is empty"
    assert second.tasks[-1].title.endswith("still\nDo now: scripted")


async def test_hints_of_earlier_failures_do_not_pile_up(use_of) -> None:
    async with use_of(ScriptedAgent([])) as (use, _):
        first = await PlanSequence()(request(failed(), problem="FIRST"), use)
        again = first.tasks[-1].model_copy(update={"status": "failed"})
        second = await PlanSequence()(request(*first.tasks[:-1], again, problem="SECOND"), use)
    fresh = second.tasks[-1]
    assert "SECOND" in fresh.title
    assert "FIRST" not in fresh.title
    assert fresh.title.splitlines()[0] == "Write b"


async def test_when_only_the_goal_is_not_met_one_task_mends_that(use_of) -> None:
    checks = [exists("a.txt"), Check(kind="file_unchanged", path="data.csv")]
    async with use_of(ScriptedAgent([])) as (use, _):
        asked = request(task("t1", "a.txt", status="done"), problem="a.txt is gone", checks=checks)
        [fresh] = (await PlanSequence()(asked, use)).tasks
    assert fresh.id == "t2"
    assert fresh.title.startswith(GOAL)
    assert fresh.writes == ["a.txt"]
    assert fresh.checks == [exists("a.txt")]


async def test_of_what_was_done_that_is_done_again_whose_file_is_wrong(use_of) -> None:
    tasks = [task("t1", "a.txt", status="done"), task("t2", "b.txt", status="done")]
    checks = [exists("a.txt"), exists("b.txt")]
    async with use_of(ScriptedAgent([])) as (use, _):
        asked = request(*tasks, problem="FAILED: b.txt: it is empty", checks=checks)
        [fresh] = (await PlanSequence()(asked, use)).tasks
    assert (fresh.id, fresh.headline, fresh.writes) == ("t3", tasks[1].title, ["b.txt"])
    assert fresh.planned_anew


async def test_what_made_it_worse_is_undone_when_it_is_planned_anew(use_of) -> None:
    check = Check(kind="tests_pass", path="test_b.py")

    def wrote(text: str, failed: int) -> Attempt:
        detail = f"{failed} failed, 1 passed"
        return Attempt(
            action=Action(tool="write_file", args={"path": "b.py", "text": text}),
            observation=Observation(ok=True, changed=["b.py"]),
            evidence=[CheckResult(check=check, passed=False, detail=detail)],
        )

    tried = [wrote("better", 1), wrote("worse", 2)]
    worse = task("t1", "b.py", status="failed", rounds=2, tries=2, attempts=tried)
    async with use_of(ScriptedAgent([])) as (use, _):
        planned = await PlanSequence()(request(worse, problem="2 failed"), use)
        better = worse.model_copy(update={"attempts": tried[::-1]})
        kept = await PlanSequence()(request(better, problem="1 failed"), use)
    assert planned.tasks[-1].calls == [tried[0].action]
    assert kept.tasks[-1].calls == []
