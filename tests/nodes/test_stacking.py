"""Tables that a goal puts one below the other."""

from pathlib import Path

import pytest

from replan.nodes.decompose.stacking import checks_of_stack
from replan.state.task import Check
from replan.tools.workspace import Workspace

FILES = ["in/a.csv", "in/b.csv", "in/note.txt"]
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
        ("Merge the CSV files of in/ into all.csv", [ROWS, columns("x", "y")]),
        ("把 in/ 里的表合并到 all.csv", [ROWS, columns("x", "y")]),
        (
            "Combine the files of in/ in all.csv: a first column file (its name without .csv), "
            "then the columns they have",
            [ROWS, columns("file", "x", "y")],
        ),
        ("Combine in/ into all.csv with a column that holds the name", [ROWS]),
        ("Merge in/ into all.csv without duplicates", []),
        ("Merge in/ into all.csv, totals per x", []),
        ("Merge in/ into all.csv by id", []),
        ("Merge in/ into all.csv on the column x", []),
        ("Merge a.csv into all.csv", []),
        ("Count the rows of in/ into all.csv", []),
    ],
)
async def test_rows_and_columns_of_the_whole(
    folder: Workspace, goal: str, checks: list[Check]
) -> None:
    assert await checks_of_stack(goal, ["all.csv"], FILES, folder) == checks


async def test_tables_that_differ_are_not_stacked(folder: Workspace) -> None:
    (folder.path / "in/b.csv").write_text("x,z\n3,4\n")
    assert await checks_of_stack("Merge in/ into all.csv", ["all.csv"], FILES, folder) == []
    (folder.path / "in/b.csv").unlink()
    assert await checks_of_stack("Merge in/ into all.csv", ["all.csv"], FILES, folder) == []
