from typing import Any

import pytest

from replan.models.schemas import is_strict, read_object, violation, without_lengths

CLOSED = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "tags": {"type": "array", "items": {}}},
    "required": ["name", "tags"],
    "additionalProperties": False,
}


def nested(inner: dict[str, Any]) -> dict[str, Any]:
    return {**CLOSED, "properties": {"name": inner, "tags": {"type": "array", "items": inner}}}


def test_a_closed_schema_is_strict():
    assert is_strict(CLOSED)
    assert is_strict(nested(CLOSED))


@pytest.mark.parametrize(
    "loose",
    [
        {**CLOSED, "additionalProperties": True},
        {key: value for key, value in CLOSED.items() if key != "additionalProperties"},
        {**CLOSED, "required": ["name"]},
        {"type": "string", "maxLength": 5},
        {"type": "object"},
        {"anyOf": [{"type": "string"}, {"type": "object", "properties": {}}]},
    ],
)
def test_a_loose_schema_is_not_strict_at_any_depth(loose: dict[str, Any]):
    assert not is_strict(loose)
    assert not is_strict(nested(loose))


def test_lengths_are_left_out_but_not_properties_of_that_name():
    schema = nested({"type": "string", "maxLength": 5, "minLength": 1})
    schema["properties"]["maxLength"] = {"type": "integer"}
    schema["required"] = ["name", "tags", "maxLength"]
    assert not is_strict(schema)
    sent = without_lengths(schema)
    assert is_strict(sent)
    assert set(sent["properties"]) == {"name", "tags", "maxLength"}
    assert sent["properties"]["name"] == {"type": "string"}
    assert schema["properties"]["name"]["maxLength"] == 5


@pytest.mark.parametrize(
    "text",
    [
        '{"a": {"b": "x"}}',
        '```json\n{"a": {"b": "x"}}\n```',
        'Sure:\n```\n{"a": {"b": "x"}}\n```\nDone {really}.',
        'It is {"a": {"b": "x"}}, I think.',
    ],
)
def test_an_object_is_read_wherever_it_stands(text: str):
    assert read_object(text) == {"a": {"b": "x"}}


def test_a_line_break_within_a_string_is_forgiven():
    assert read_object('{"a": "one\ntwo"}') == {"a": "one\ntwo"}


@pytest.mark.parametrize("text", ["", "no json", '{"a": ', "[1]", "3", '"text"'])
def test_what_is_no_object_is_refused(text: str):
    with pytest.raises(ValueError, match="JSON"):
        read_object(text)


def test_a_violation_names_the_place():
    assert violation({"name": "x", "tags": []}, CLOSED) == ""
    assert violation({"name": 3, "tags": []}, CLOSED) == "at name: 3 is not of type 'string'"
