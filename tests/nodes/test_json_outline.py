"""How to get at what a JSON file holds."""

import json
from typing import Any

import pytest

from replan.nodes.json_outline import json_outline

DOORS = {
    "site": "north",
    "doors": [
        {"no": 1, "lock": {"kind": "bolt", "by": "Rita"}, "keys": [1, 2]},
        {"no": 2, "lock": None, "keys": []},
        {"no": "3", "lock": {"kind": "bar"}, "keys": [5]},
    ],
}


def test_nested_records() -> None:
    assert json_outline(json.dumps(DOORS)).splitlines() == [
        "data = json.load(file); data['doors'] is a list of 3; the first is:",
        '{"no": 1, "lock": {"kind": "bolt", "by": "Rita"}, "keys": [1, 2]}',
        "for d in data['doors']: it holds d['no'], d['lock']['kind'], d['lock']['by'], d['keys']",
        "d['no']: a text in 1 of 3",
        "d['lock']: null in 1 of 3",
        "d['lock']['by']: missing in 1 of 3",
    ]


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ([{"a": 1}], "data = json.load(file); data is a list of 1; the first is:"),
        ({"x": {"a": 1}, "y": {"a": 2}, "z": {"a": 3}}, "for d in data.values(): it holds d['a']"),
        ({"a": 1, "b": {"c": 2}}, "is an object; it holds data['a'], data['b']['c']"),
        ([1, 2], "data is a list of 2; the first is:\n1"),
        ([{"a": "x" * 900}], "xxx..."),
        ([], ""),
        (7, ""),
        ({}, ""),
    ],
)
def test_other_forms(data: Any, told: str) -> None:
    outline = json_outline(json.dumps(data))
    assert told in outline
    assert bool(told) == bool(outline)


def test_what_is_no_json() -> None:
    assert json_outline("{'a': 1}") == ""
