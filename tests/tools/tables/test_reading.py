"""Which files are tables, and what their cells are."""

import json

import pytest

from replan.tools.tables.reading import Table, tables_in


def table(text: str, path: str = "a.csv") -> Table:
    [found] = tables_in({path: text})
    return found


def test_numbers_are_numbers_and_codes_are_not() -> None:
    found = table("id,price,code,note\n1,2.50,007,x\n2,10.00,012,\n")
    assert found.columns == ("id", "price", "code", "note")
    assert found.rows == [(1, 2.5, "007", "x"), (2, 10.0, "012", None)]
    assert found.types == {"id": "INTEGER", "price": "REAL", "code": "TEXT", "note": "TEXT"}
    assert found.places == {"price": 2}


def test_one_cell_that_is_no_number_makes_the_column_text() -> None:
    found = table("a,b,c,d\n1,2,007,+1\n2,3,008,2\nn/a,4,009,3\n")
    assert found.rows == [("1", 2, "007", "+1"), ("2", 3, "008", "2"), ("n/a", 4, "009", "3")]
    assert found.unclear == {"a", "d"}


def test_an_empty_cell_is_none_and_short_rows_are_filled() -> None:
    assert table("a,b,c\n1,,x\n2\n\n").rows == [(1, None, "x"), (2, None, None)]


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_what_stands_between_the_columns_is_seen(mark: str) -> None:
    assert table(f"a{mark}b\n1{mark}x\n").rows == [(1, "x")]


def test_quotes_hold_marks_and_line_breaks() -> None:
    assert table('a,b\n"x, y","one\ntwo"\n').rows == [("x, y", "one\ntwo")]


@pytest.mark.parametrize(
    "text",
    ["", "\n", "a,A\n1,2\n", "a,,b\n1,2,3\n", '"a\nb",c\n1,2\n', "a,b\n1,2,3\n", "a" * 61 + ",b\n"],
)
def test_without_names_of_columns_it_is_no_table(text: str) -> None:
    assert tables_in({"a.csv": text}) == []


def test_files_of_one_folder_with_the_same_columns_are_one_table() -> None:
    texts = {"m/2024-02.csv": "item,n\nsalt,2\n", "m/2024-01.csv": "n,item\n1,tea\n"}
    [found] = tables_in(texts)
    assert found.name == "m"
    assert found.columns == ("file", "n", "item")
    assert found.rows == [("2024-01", 1, "tea"), ("2024-02", 2, "salt")]


def test_of_other_columns_or_in_no_folder_each_is_its_own() -> None:
    names = [one.name for one in tables_in({"m/a.csv": "x\n1\n", "m/b.csv": "y\n1\n"})]
    assert names == ["a", "b"]
    assert len(tables_in({"a.csv": "x\n1\n", "b.csv": "x\n1\n"})) == 2


def test_two_files_of_one_name_have_two() -> None:
    texts = {"p/a.csv": "x\n1\n", "q/a.csv": "y\n1\n", "A.csv": "z\n1\n"}
    assert sorted(one.name for one in tables_in(texts)) == ["A", "p_a", "q_a"]


def test_records_of_json() -> None:
    people = [{"id": 1, "owner": {"name": "Ada"}, "ports": [1, 2]}, {"id": 2, "on": True}]
    found = table(json.dumps(people), "a.json")
    assert found.columns == ("id", "owner_name", "ports", "on")
    assert found.rows == [(1, "Ada", "[1, 2]", None), (2, None, None, 1)]
    assert table('[{"v": "1.10"}, {"v": "2.0"}]', "a.json").rows == [("1.10",), ("2.0",)]
    assert table(json.dumps({"people": people, "count": 2}), "a.json").rows == found.rows
    lines = "\n".join(map(json.dumps, people))
    assert table(lines, "a.jsonl").rows == found.rows


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        "[1, 2]",
        '{"a": 1}',
        '{"a": [{"x": 1}], "b": [{"y": 2}]}',
        '[{"shop": "A", "stock": {"pen": 1}}, {"shop": "B", "stock": 2}, 3]',
        '[{"shop": "A", "by": {"day": {"pen": 1, "ink": 2, "cup": 3}}}]',
        "[" * 100_000,
        '{"rate": 2, "items": [{"x": 1}], "of": {"y": 1}}',
        '[{"a": {"b": 1}, "a_b": 2}]',
        '[{"shop": "A", "size": 3, "stock": {"pen": 1, "ink": 2, "cup": 3}}]',
    ],
)
def test_other_json_is_no_table(text: str) -> None:
    assert tables_in({"a.json": text}) == []


def test_what_sqlite_cannot_hold_is_text() -> None:
    assert table('[{"n": 123456789012345678901234567890}]', "a.json").rows == [
        ("123456789012345678901234567890",)
    ]


def test_a_number_for_each_of_many_things_is_a_row_for_each() -> None:
    found = table(
        '[{"shop": "A", "stock": {"pen": 1}}, {"shop": "B", "stock": {"ink": 2}}]', "a.json"
    )
    assert found.columns == ("shop", "stock", "stock_value")
    assert found.rows == [("A", "pen", 1), ("B", "ink", 2)]
    none = table('[{"shop": "A", "stock": {}}, {"shop": "B", "stock": {"ink": 2}}]', "a.json")
    assert none.rows == [("A", None, None), ("B", "ink", 2)]
    same = '[{"at": {"x": 1, "y": 2}}, {"at": {"x": 3, "y": 4}}]'
    assert table(same, "a.json").columns == ("at_x", "at_y")


def test_something_for_each_name_is_a_row_for_each() -> None:
    assert table('{"Oslo": 3, "Lima": 5, "Rome": 4}', "a.json").rows == [
        ("Oslo", 3), ("Lima", 5), ("Rome", 4),
    ]  # fmt: skip
    found = table('{"a": {"n": 1}, "b": {"n": 2}, "c": {}}', "a.json")
    assert (found.columns, found.rows) == (("name", "n"), [("a", 1), ("b", 2), ("c", None)])
