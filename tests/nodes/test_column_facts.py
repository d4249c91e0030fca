"""What is told of a table's columns: what is odd about them, and nothing else."""

import pytest

from replan.nodes.column_facts import column_facts
from replan.nodes.records import describe_records


@pytest.mark.parametrize(
    ("column", "told"),
    [
        (["1", "2", "3"], []),
        (["1", "n/a", "3", "", "5.5"], ["x: empty in 1 of 5 rows; numbers, but also 'n/a'"]),
        (["1", "1,200", "3"], ["x: numbers, but also '1,200'"]),
        ([" Ann", "Bob ", "Cleo"], ["x: spaces around some values"]),
        (["Rome", "rome", "Oslo"], ["x: the same value as 'Rome', 'rome'"]),
        (["2024-01-02", "2024-01-03"], []),
        (
            ["2024-01-02", "28/01/2024", "3 Feb 2024", "soon"],
            [
                "x: dates of several forms, try each with datetime.strptime: %Y-%m-%d "
                "(2024-01-02), %d/%m/%Y (28/01/2024), %d %b %Y (3 Feb 2024)"
            ],
        ),
        (
            ["2024-01-02", "01/28/2024"],
            [
                "x: dates of several forms, try each with datetime.strptime: %Y-%m-%d "
                "(2024-01-02), %m/%d/%Y (01/28/2024)"
            ],
        ),
        (["some", "words", "here"], []),
        ([], []),
    ],
)
def test_columns(column: list[str], told: list[str]) -> None:
    rows = ["id;x", *(f"{at};{value}" for at, value in enumerate(column))]
    assert column_facts(rows, ";") == told


def test_rows_that_stand_there_twice() -> None:
    assert column_facts(["a,b", "1,2", "1,2", "1,2", "3,4"], ",") == [
        "2 rows are exactly like another one"
    ]


def test_a_table_is_described_with_them() -> None:
    told = describe_records("a.tsv", ["id\tx", "1\t5", "2\t-", "3\t6"])
    assert told.splitlines()[1:] == ["x: numbers, but also '-'"]
    assert len(column_facts(["a,b,c,d,e,f,g,h", *["x, x, x, x, x, x, x, x"] * 3], ",")) == 6
