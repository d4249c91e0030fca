"""Tables that a goal puts one below the other."""

from pathlib import Path

import pytest

from replan.nodes.decompose.stacking import checks_of_stack
from replan.state.task import Check
from replan.tools.workspace import Workspace

STACK = "Merge the tables of in/ into all.csv"
FILES = ["in/a.csv", "in/b.csv", "in/note.txt"]
# What leaves rows out, or makes others.
OTHER_ROWS = (
    " without duplicates",
    ", totals per x",
    " by id",
    " on the column x",
    ", excluding the cancelled ones",
    " and leave out the open ones",
    " with one row for each x",
    " grouped by x",
    " side by side",
    " with the file's name in front of each row",
    ", the first 2 rows of each",
    ". Leave out those over 100.",
    ": a first column file, then the columns x and z",
    ": a new column file and keep the other columns as they are",
)
OTHER_THINGS = ("the paid orders", "all orders over 100", "the rows with status paid", "x and y")
ROWS = Check(kind="as_many_rows", path="all.csv", text="in/*.csv")


@pytest.fixture
def folder(tmp_path: Path) -> Workspace:
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.csv").write_text("x, y\n1,2\n")
    (tmp_path / "in/b.csv").write_text("x,y\n3,4\n5,6\n")
    (tmp_path / "in/note.txt").write_text("x\n")
    return Workspace(tmp_path)


def columns(*names: str) -> Check:
    return Check(kind="csv_columns", path="all.csv", columns=list(names))


@pytest.mark.parametrize(
    ("goal", "checks"),
    [
        ("Put all tables in in/ together into all.csv", [ROWS, columns("x", "y")]),
        ("Merge the CSV files of in/ into all.csv.", [ROWS, columns("x", "y")]),
        ("把 in/ 里的所有表合并到 all.csv。", [ROWS, columns("x", "y")]),
        (
            "The tables are in in/. Combine them all into all.csv: a first column file, holding "
            "the name without .csv, then the columns they have, in order of file.",
            [ROWS, columns("file", "x", "y")],
        ),
        ("Merge the tables of in/ into all.csv, sorted by file name", [ROWS, columns("x", "y")]),
        ("Merge the tables of in/ into all.csv. Then write n.txt", []),
        ("Merge the tables of in/ into all.csv. Round the prices.", []),
        ("Round the prices in in/. Merge the tables of in/ into all.csv.", []),
        ("把 in/ 里的所有表合并到 all.csv。金额保留两位小数。", []),
        (f"Merge the tables of in/ into all.csv{' ' * 400}x", []),
        *((f"Merge the tables of in/ into all.csv{rest}", []) for rest in OTHER_ROWS),
        *((f"Combine {what} in in/ into all.csv", []) for what in OTHER_THINGS),
        ("把 in/ 里已付款的订单合并到 all.csv", []),
        ("把 in/ 里的表按 id 合并到 all.csv", []),
        ("Merge a.csv into all.csv", []),
        ("Count the rows of in/ into all.csv", []),
        ("in/ has tables with duplicates. Merge the tables of in/ into all.csv", []),
    ],
)
async def test_rows_and_columns_of_the_whole(
    folder: Workspace, goal: str, checks: list[Check]
) -> None:
    assert await checks_of_stack(goal, ["all.csv"], FILES, folder) == checks


async def test_tables_that_differ_are_not_stacked(folder: Workspace) -> None:
    (folder.path / "in/b.csv").write_text("x,z\n3,4\n")
    assert await checks_of_stack(STACK, ["all.csv"], FILES, folder) == []
    (folder.path / "in/b.csv").unlink()
    assert await checks_of_stack(STACK, ["all.csv"], FILES, folder) == []


@pytest.mark.parametrize("text", ["a;b\n1;2\n", "1,2\n3,4\n", "# made today\na,b\n1,2\n", ""])
async def test_tables_without_names_of_columns_are_not_judged(folder: Workspace, text: str) -> None:
    for name in ("a", "b"):
        (folder.path / f"in/{name}.csv").write_text(text)
    assert await checks_of_stack(STACK, ["all.csv"], FILES, folder) == []
