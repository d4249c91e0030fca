"""JSON schemas on their way to a server: what may be sent as strict, and how an answer is read."""

import json
import re
from typing import Any

# What OpenAI's strict mode understands; a schema with anything else is refused there.
_STRICT = {
    "type", "properties", "required", "additionalProperties", "items", "enum", "const", "anyOf",
    "description", "title", "$defs", "$ref", "minimum", "maximum", "minItems", "maxItems",
}  # fmt: skip
_LENGTHS = {"minLength", "maxLength"}
_FENCE = re.compile(r"```(?:json)?\s*\n(.*?)\n?```", re.DOTALL)


def without_lengths(schema: Any) -> Any:
    """The schema without limits on the length of strings, which strict mode refuses."""
    if isinstance(schema, list):
        return [without_lengths(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {key: value for key, value in schema.items() if key not in _LENGTHS}
    names = {"properties", "$defs"}  # their keys are names, not keywords
    return {
        key: {name: without_lengths(item) for name, item in schema[key].items()}
        if key in names and isinstance(value, dict)
        else without_lengths(value)
        for key, value in kept.items()
    }


def strict_object(properties: dict[str, Any]) -> dict[str, Any]:
    """The schema of an object that has all of these properties and no others."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def is_strict(schema: Any) -> bool:
    """Whether the schema can be sent as strict: closed objects, every property required."""
    if not isinstance(schema, dict):
        return True
    if not schema.keys() <= _STRICT:
        return False
    if schema.get("type") == "object" or "properties" in schema:
        properties = schema.get("properties", {})
        if schema.get("additionalProperties") is not False:
            return False
        if set(schema.get("required", [])) != set(properties):
            return False
    inner = [*schema.get("properties", {}).values(), *schema.get("$defs", {}).values()]
    inner += [*schema.get("anyOf", []), schema.get("items")]
    return all(is_strict(item) for item in inner)


def read_object(text: str) -> dict[str, Any]:
    """The JSON object in a text, which may stand in a fence or between words.

    Raises:
        ValueError: there is none; the message says why.
    """
    candidates = [text, *_FENCE.findall(text)]
    if (start := text.find("{")) >= 0 and (end := text.rfind("}")) > start:
        candidates.append(text[start : end + 1])
    problem = "not valid JSON"
    for candidate in candidates:
        try:
            value = json.loads(candidate, strict=False)
        except ValueError as error:
            problem = f"not valid JSON: {error}"
            continue
        if isinstance(value, dict):
            return value
        problem = "JSON, but not an object"
    raise ValueError(problem)


def violation(value: Any, schema: dict[str, Any]) -> str:
    """What in the value breaks the schema, in one line; empty when nothing does."""
    from jsonschema.exceptions import best_match
    from jsonschema.validators import validator_for

    worst = best_match(validator_for(schema)(schema).iter_errors(value))
    if worst is None:
        return ""
    place = ".".join(str(step) for step in worst.absolute_path)
    return f"{f'at {place}: ' if place else ''}{worst.message[:200]}"
