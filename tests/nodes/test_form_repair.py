"""A file whose form alone is wrong is put right without asking."""

from pathlib import Path

import pytest

from replan.nodes.select_tool.form_repair import repaired_form
from replan.state.task import Action, Attempt, Check, CheckResult, Observation, Task
from replan.tools.workspace import open_workspace

NUMBER = Check(kind="number_only", path="a.txt", text="2")
WHOLE = Check(kind="number_only", path="a.txt")
SORTED = Check(kind="is_sorted", path="a.txt")
PLACES = Check(kind="decimals", path="a.txt", text="1")
BY_NAME = Check(kind="is_sorted", path="a.txt", columns=["name"])


@pytest.mark.parametrize(
    ("text", "check", "better"),
    [
        ("Total: 1,204.50 EUR", NUMBER, "1204.50\n"),
        ("The answer is -3.", WHOLE, "-3\n"),
        ("Total: 1.5", NUMBER, ""),
        ("3 of 7", WHOLE, ""),
        ("Total: 12,5", WHOLE, ""),
        ("3,5", WHOLE, ""),
        (".5", WHOLE, ""),
        ("\u22125", WHOLE, ""),
        ("pump P-30", WHOLE, ""),
        ("Error: 404", WHOLE, ""),
        ("Not found in Q3", WHOLE, ""),
        ("合计：7 元", WHOLE, "7\n"),
        ("Name\nadam\nzoe\n", SORTED, ""),
        ("b\nC\na\n", SORTED, "a\nb\nC\n"),
        ("none", WHOLE, ""),
        ("A-B-C-\n", Check(kind="file_exists", path="a.txt"), "A-B-C\n"),
        ("A-B-C\n", Check(kind="file_exists", path="a.txt"), ""),
        ("b\nc\n\na\n", SORTED, "a\nb\nc\n"),
        ("a\nb\n", SORTED, ""),
        ("b\na\n", BY_NAME, ""),
        ("id,Name\n1,zoe\n2,Adam\n", BY_NAME, "id,Name\n2,Adam\n1,zoe\n"),
        ("id,name\n1,10\n\n2,9\n", BY_NAME, "id,name\n2,9\n1,10\n"),
        ('id,name\n1,"z\nz"\n2,a\n', BY_NAME, ""),
        ("id,name\n1,z\n2\n", BY_NAME, ""),
        ("id,name\n1,z\n", BY_NAME, ""),
        ("name,x\n10/1/2023,1\n9/2/2023,2\n", BY_NAME, ""),
        ("name,x\n2024-05-02,1\n2024-05-01,2\n", BY_NAME, "name,x\n2024-05-01,2\n2024-05-02,1\n"),
        ("name,x\n9,1\n,2\n10,3\n", BY_NAME, ""),
        ("name,x\nWest,1\nNorth,2\nTotal,3\n", BY_NAME, ""),
        ("a\n\nb\n\nc\n", Check(kind="no_gaps", path="a.txt"), "a\nb\nc\n"),
        ("1.25\n97.88000000000001\n", PLACES, "1.2\n97.9\n"),
        ("north: 3.14159\nsouth: -2.0\n", PLACES, "north: 3.1\nsouth: -2.0\n"),
        ("7\n97.88\n", PLACES, ""),
        ("1.2.34\n", PLACES, ""),
        ("1,005.55\n", PLACES, ""),
        ("2024-05.123\n", PLACES, ""),
        ("a: -5.55\n", PLACES, "a: -5.5\n"),
        ("Rita", Check(kind="brief_only", path="a.txt"), ""),
    ],
)
async def test_what_is_repaired(workspace: Path, text: str, check: Check, better: str) -> None:
    (workspace / "a.txt").write_text(text)
    place = open_workspace(workspace, create=False)
    repair = await repaired_form(task(check), place)
    assert (repair.args["text"] if repair else "") == better


async def test_what_an_earlier_attempt_has_made_is_repaired(workspace: Path) -> None:
    (workspace / "a.txt").write_text("A-B-\n")
    place = open_workspace(workspace, create=False)
    wrong = CheckResult(check=Check(kind="file_exists", path="a.txt"), passed=False, detail="-")
    first = Task(id="t1", title="Join them", writes=["a.txt"], before=[wrong])
    assert await repaired_form(first, place) is None  # it is not the run's own
    again = first.model_copy(update={"made": ["a.txt"]})
    repair = await repaired_form(again, place)
    assert repair is not None
    assert repair.args["text"] == "A-B\n"


async def test_where_more_is_wrong_it_is_not(workspace: Path) -> None:
    place = open_workspace(workspace, create=False)
    assert await repaired_form(task(WHOLE), place) is None  # the file is not there
    (workspace / "a.txt").write_text("It is 7")
    assert await repaired_form(task(WHOLE, SORTED), place) is None
    assert await repaired_form(task(WHOLE, ok=False), place) is None
    assert await repaired_form(Task(id="t1", title="x"), place) is None


def task(*failing: Check, ok: bool = True) -> Task:
    attempt = Attempt(
        action=Action(tool="python"),
        observation=Observation(ok=ok),
        evidence=[CheckResult(check=check, passed=False) for check in failing],
    )
    return Task(id="t1", title="x", attempts=[attempt], tries=1, rounds=1)
