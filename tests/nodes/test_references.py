"""References to earlier results, and what takes their place."""

import pytest

from replan.nodes.references import filled_arguments, names_in, renamed_references

RESULTS = {
    "t1": "The numbers are in data/oslo.csv, and not in lima.csv.\nSee http://a.example/b?c=1.",
    "t2": "two\n  lines",
}
EXISTING = ["lima.csv", "data/oslo.csv"]


def test_names_in_texts_and_json() -> None:
    assert names_in("from $t1 and $totals, $t1 again; $5 is money") == ["t1", "totals"]
    assert names_in({"a": ["$t2", {"b": "$t3"}], "c": 7, "d": None}) == ["t2", "t3"]


def test_other_names() -> None:
    assert renamed_references("$a and $b, $ab", {"a": "t1", "b": "t2"}) == "$t1 and $t2, $ab"
    assert renamed_references({"x": ["$a", 1]}, {"a": "t1"}) == {"x": ["$t1", 1]}


@pytest.mark.parametrize(
    ("args", "filled"),
    [
        ({"path": "$t1"}, {"path": "data/oslo.csv"}),
        ({"path": "$t2"}, {"path": "two\n  lines"}),
        ({"url": "$t1"}, {"url": "http://a.example/b?c=1"}),
        ({"query": "what of $t2?"}, {"query": "what of two lines?"}),
        ({"query": "$t9 costs $5"}, {"query": "$t9 costs $5"}),
        ({"start": 7, "of": ["$t2"]}, {"start": 7, "of": ["two lines"]}),
    ],
)
def test_an_argument_gets_what_fits_it(args: dict, filled: dict) -> None:
    assert filled_arguments(args, RESULTS, EXISTING) == filled


def test_into_code_nothing_is_put() -> None:
    evil = {"t1": "'); import os; os.remove('x') #"}
    args = {"code": "print('$t1')"}
    assert filled_arguments(args, evil, [], "code") == args


def test_what_is_put_in_is_bounded_and_is_not_filled_again() -> None:
    filled = filled_arguments({"query": "$t1"}, {"t1": "$t2 " + "x" * 999, "t2": "secret"}, [])
    assert len(filled["query"]) == 300
    assert "secret" not in filled["query"]
