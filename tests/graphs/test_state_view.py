"""What a dispatched task is told of the state."""

from typing import Any

from replan.graphs.contenders import Going
from replan.graphs.state_view import branch_of
from replan.state.task import Check, Task


def state(*tasks: Task, checks: list[Check]) -> dict[str, Any]:
    return {
        "goal": "a goal",
        "workspace": "w",
        "tasks": {task.id: task.model_dump() for task in tasks},
        "checks": [check.model_dump() for check in checks],
    }


def test_what_others_have_finished_is_protected() -> None:
    made = ["a.csv", "b.csv", "c.py"]
    done = Task(id="t1", title="first", writes=made, status="done")
    again = Task(id="t2", title="once more", writes=["b.csv"])
    last = Task(id="t3", title="last", writes=["d.csv"])
    free = Task(id="t4", title="tidy up")
    checks = [Check(kind="file_unchanged", path="raw.csv")]
    known = state(done, again, last, free, checks=checks)

    def protected(task: Task) -> list[str]:
        return branch_of(known, Going(task.id, task), {}, False)["protected"]

    # What is being done once more is no longer finished.
    assert protected(last) == ["raw.csv", "a.csv"]
    assert protected(again) == ["raw.csv", "a.csv"]
    assert protected(free) == ["raw.csv"]

    def titled(title: str) -> list[str]:
        return protected(last.model_copy(update={"title": title}))

    # What is only read is not gone on with.
    assert titled("Write the number of rows of a.csv to d.csv") == ["raw.csv", "a.csv"]
    assert titled("Sort a.csv, then write d.csv") == ["raw.csv"]
    assert titled("Replace x in a.csv, then write d.csv") == ["raw.csv"]


def test_where_files_are_only_removed_the_task_knows() -> None:
    task = Task(id="t1", title="remove them")
    removes = state(task, checks=[Check(kind="only_removed")])
    assert branch_of(removes, Going("t1", task), {}, False)["only_removes"]
    assert not branch_of(state(task, checks=[]), Going("t1", task), {}, False)["only_removes"]
