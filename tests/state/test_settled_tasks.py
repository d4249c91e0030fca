"""What is kept of tasks that were settled long ago."""

import json
from typing import Any

from replan.graphs.cycle import lessons
from replan.state.agent_state import merge_tasks
from replan.state.task import Action, Attempt, Observation, Task

LONG = "line\n" * 200


def task(number: int, status: str = "done", reasons: tuple[str, ...] = ()) -> dict[str, Any]:
    tried = [
        Attempt(
            action=Action(tool="python", args={"code": LONG}),
            observation=Observation(ok=not reason, text=LONG, error=reason),
            verdict="retry" if reason else "done",
            reason=reason or "every check passes",
        )
        for reason in (*reasons, "")
    ]
    made = Task(
        id=f"t{number}",
        title=f"Make the file {number}\nWhat went wrong before: {LONG}",
        writes=[f"{number}.txt"],
        status=status,  # type: ignore[arg-type]
        rounds=len(tried),
        attempts=tried,
        result=LONG,
    )
    return made.model_dump()


def run_of(count: int, **each: Any) -> dict[str, Any]:
    """The tasks of a run that did them one after the other."""
    tasks: dict[str, Any] = {}
    for number in range(count):
        tasks = merge_tasks(tasks, {f"t{number}": task(number, **each)})
    return tasks


def test_a_task_settled_long_ago_takes_little_room() -> None:
    few, many = (len(json.dumps(run_of(count))) for count in (20, 120))
    assert (many - few) / 100 < 300
    assert many - few < 0.05 * len(json.dumps([task(number) for number in range(100)]))


def test_what_was_done_last_is_whole() -> None:
    tasks = run_of(20)
    assert [tasks[f"t{number}"] for number in range(12, 20)] == [
        task(number) for number in range(12, 20)
    ]


def test_a_task_settled_long_ago_says_what_it_was_and_how_it_ended() -> None:
    kept = Task.model_validate(run_of(20)["t0"])
    assert (kept.id, kept.title, kept.status) == ("t0", "Make the file 0", "done")
    assert (kept.writes, kept.rounds, kept.attempts) == (["0.txt"], 1, [])
    assert kept.result == " ".join(LONG.split())[:80].strip()


def test_what_is_written_stays_whole_wherever_it_stands_in_the_plan() -> None:
    tasks = merge_tasks(run_of(20), {"t0": task(0)})
    assert tasks["t0"] == task(0)
    assert merge_tasks(tasks, {"t20": task(20)})["t0"] != task(0)


def test_open_and_failed_tasks_stay_whole() -> None:
    tasks = merge_tasks(
        {"t100": task(100, "failed"), "t101": task(101, "open"), **run_of(20)}, None
    )
    assert (tasks["t100"], tasks["t101"]) == (task(100, "failed"), task(101, "open"))


def test_dropped_tasks_do_not_crowd_out_those_that_were_done() -> None:
    dropped = {f"t{number}": task(number, "dropped") for number in range(20, 40)}
    tasks = merge_tasks(merge_tasks(run_of(20), dropped), {"t40": task(40, "open")})
    assert (tasks["t19"], tasks["t39"]) == (task(19), task(39, "dropped"))
    assert "attempts" not in tasks["t20"]


def test_the_first_lessons_of_a_run_are_kept() -> None:
    whole: dict[str, Any] = {}
    kept: dict[str, Any] = {}
    for number in range(30):
        reasons = ("no such file", f"wrong in {number}") if number % 3 == 0 else ()
        whole[f"t{number}"] = task(number, reasons=reasons)
        kept = merge_tasks(kept, {f"t{number}": whole[f"t{number}"]})
    told = [
        lessons([Task.model_validate(one) for one in tasks.values()]) for tasks in (whole, kept)
    ]
    assert told[0] == told[1]
    assert len(told[1]) == 3
    assert sum("attempts" in kept[f"t{number}"] for number in range(22)) == 2


def test_merging_again_changes_nothing() -> None:
    tasks = merge_tasks(run_of(20, reasons=("no such file",)), None)
    assert merge_tasks(tasks, None) == tasks
    assert merge_tasks(json.loads(json.dumps(tasks)), {}) == tasks


def test_what_an_open_task_waited_for_stays_whole_until_it_is_done() -> None:
    waiting = {**task(99, "open"), "depends_on": ["t0"]}
    first = merge_tasks({"t99": waiting}, {"t0": task(0)})
    for number in range(1, 20):
        first = merge_tasks(first, {f"t{number}": task(number)})
    assert first["t0"] == task(0)
    assert first["t1"].get("attempts", []) == []
    done = merge_tasks(first, {"t99": {**waiting, "status": "done"}})
    done = merge_tasks(done, {"t100": task(100)})
    assert done["t0"].get("attempts", []) == []
