"""How to get at what a JSON file holds."""

import json
import time
from typing import Any

import pytest

from replan.nodes.json_outline import json_outline, way_to_pairs

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
        "there is also data['site']",
    ]


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ([{"a": 1}] * 2, "data = json.load(file); data is a list of 2; the first is:"),
        ({"x": {"a": 1}, "y": {"a": 2}, "z": {"a": 3}}, "for d in data.values(): it holds d['a']"),
        ({"v": 1, "rows": [{"a": 1}, {"a": 2}]}, "there is also data['v']"),
        ([{"a": "x" * 900}] * 2, "xxx..."),
        ([{"a": "\ud800"}, {"a": 1}], "d['a']: a number in 1 of 2"),
        ({"a": 1, "b": {"c": 2}}, ""),
        ({"name": "x", "keywords": ["a", "b"]}, ""),
        ([1, 2], ""),
        ([{"a": 1}, 7], ""),
        ([], ""),
        (7, ""),
        ({}, ""),
    ],
)
def test_other_forms(data: Any, told: str) -> None:
    outline = json_outline(json.dumps(data))
    assert told in outline
    assert bool(told) == bool(outline)
    outline.encode()


def test_many_keys_are_told_of_in_no_time() -> None:
    wide = {f"k{at}": at for at in range(20_000)}
    begun = time.process_time()
    assert json_outline(json.dumps([wide, wide])).count("d['k") <= 20
    assert time.process_time() - begun < 2


def test_what_is_no_json() -> None:
    assert json_outline("{'a': 1}") == ""


GOODS = [
    {"store": "A", "goods": {"pen": 2, "ink": 3}},
    {"store": "B", "goods": {"pen": 1, "pad": 9}},
]


def test_names_of_its_own_are_told_as_pairs() -> None:
    way = "for d in data: it holds d['store'], in d['goods'].items() names with their values"
    adds = (
        "; a name may stand in several d: totals over all of them by "
        "for name, value in d['goods'].items(): totals[name] = totals.get(name, 0) + value"
    )
    assert way_to_pairs(json.dumps(GOODS)) == f"data = json.load(file); data is a list; {way}{adds}"
    once = [GOODS[0], {"store": "B", "goods": {"pad": 9}}]
    assert way_to_pairs(json.dumps(once)) == f"data = json.load(file); data is a list; {way}"
    assert json_outline(json.dumps(GOODS)).endswith(f"\n{way}")


@pytest.mark.parametrize(
    "data",
    [
        [{"a": {"x": 1}}, {"a": {"x": 2}}],
        [{"a": {"x": 1}}, {"a": {"y": "b"}}],
        [{"a": {"x": {}}}, {"a": {"y": {}}}],
        [{"a": 1}, {"b": 2}],
        GOODS[:1],
        {"a": 1},
    ],
)
def test_what_has_the_same_names_is_not(data: object) -> None:
    assert way_to_pairs(json.dumps(data)) == ""


def test_no_json_is_not() -> None:
    assert way_to_pairs("[1") == ""
