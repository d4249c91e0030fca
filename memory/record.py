"""A memory as a row of the store, and back."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from replan.memory.owner import owner_and_kind
from replan.state.errors import UsageError
from replan.state.memory import DETAIL_CHARS, KINDS, TEXT_CHARS, Memory, MemoryKind

_CUT = " ..."


def value_of(memory: Memory) -> dict[str, Any]:
    """What the store keeps of a memory under its id."""
    plain = memory.model_copy(update={"detail": _plain(memory.detail)})
    value: dict[str, Any] = _plain(plain.model_dump(mode="json", exclude={"id"}))
    return value


def memory_of(prefix: str, key: str, value: Mapping[str, Any], created: datetime) -> Memory:
    """A memory from a row of the store.

    Whoever may call the store may have put anything there: what cannot be read is left out, and
    a text that is too long is cut.
    """
    known = owner_and_kind(prefix)
    kind: MemoryKind = known[1] if known else KINDS[0]
    given = {name: value[name] for name in value if name in Memory.model_fields}
    text = str(given.get("text") or "?")
    given["text"] = text if len(text) <= TEXT_CHARS else text[: TEXT_CHARS - len(_CUT)] + _CUT
    given |= {"id": key, "kind": kind, "learned": given.get("learned") or created}
    try:
        return Memory.model_validate(given)
    except ValidationError as error:
        for one in error.errors(include_url=False, include_input=False):
            given.pop(str(one["loc"][0]), None)
        given |= {"id": key, "kind": kind, "learned": created}
        return Memory.model_validate(given)


def require_size(memory: Memory) -> None:
    """A memory is of the size that can be kept.

    Raises:
        UsageError: its text or its detail is too long, or there is no text.
    """
    for what, chars, most in _sizes(memory):
        if chars > most:
            raise UsageError(
                f"a memory's {what or 'text '}has {chars:,} characters; {most:,} are allowed.",
                "Shorten it, or keep it in several.",
            )
    if not memory.text.strip():
        raise UsageError("a memory has no text.", "Say what is to be remembered.")


def too_long(memory: Memory) -> bool:
    """Whether a memory is larger than what can be kept."""
    return any(chars > most for _, chars, most in _sizes(memory))


def _sizes(memory: Memory) -> tuple[tuple[str, int, int], ...]:
    """What is bounded, how many characters it has, and how many it may have."""
    detail = len(json.dumps(memory.detail, ensure_ascii=False, default=str))
    return ("", len(memory.text), TEXT_CHARS), ("detail ", detail, DETAIL_CHARS)


def _plain(value: Any) -> Any:
    """Without what JSON in Postgres refuses: the character 0, and halves of characters."""
    if isinstance(value, str):
        return value.replace("\0", "").encode("utf-8", "replace").decode()
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if isinstance(value, dict):
        return {_plain(name): _plain(one) for name, one in value.items()}
    return value
