"""Keeps text within bounds: the beginning and the end stay, the middle goes."""

import json
from collections.abc import Sequence
from typing import Any


def bounded(text: str, limit: int, head: float = 0.4, note: str = "") -> str:
    """The text, or its head and tail with a note of what is missing between them.

    Args:
        text: any text.
        limit: most characters to return, the note not counted.
        head: share of the limit that goes to the beginning.
        note: in place of how many characters are missing.
    """
    if len(text) <= limit:
        return text
    first = int(limit * head)
    last = limit - first
    note = note or f"{len(text) - limit:,} characters left out"
    return f"{text[:first]}\n[... {note} ...]\n{text[len(text) - last :]}"


def clipped(line: str, limit: int = 200) -> str:
    """One line, cut at the end when it is too long."""
    return line if len(line) <= limit else line[: limit - 3] + "..."


def named_up_to(names: Sequence[str], most: int) -> str:
    """The names with commas, and how many more there are than so many."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return f"{', '.join(names[:most])}{more}"


def storable(text: str) -> str:
    """The text without what JSON in Postgres refuses: NUL characters and lone surrogates."""
    return text.replace("\0", "\\x00").encode("utf-8", "replace").decode("utf-8")


def encodable(value: dict[str, Any]) -> dict[str, Any]:
    """The JSON object with `?` for lone surrogates, in names too: no request could carry them."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        changed: dict[str, Any] = json.loads(storable(text))
        return changed
    return value


class HeadAndTail:
    """Collects bytes of an endless stream within `limit`: the first half, and the latest."""

    def __init__(self, limit: int) -> None:
        self.total = 0
        self._half = limit // 2
        self._head = bytearray()
        self._tail = bytearray()

    def add(self, data: bytes) -> None:
        """Take the next bytes of the stream."""
        self.total += len(data)
        room = self._half - len(self._head)
        if room > 0:
            self._head += data[:room]
            data = data[room:]
        self._tail += data
        # Trimmed only at double size: a move of the whole tail for every chunk would be slow.
        if len(self._tail) > 2 * self._half:
            del self._tail[: -self._half]

    def text(self) -> str:
        """What was kept, decoded as UTF-8, with a note where the middle is missing."""
        tail = self._tail[-self._half :]
        missing = self.total - len(self._head) - len(tail)
        if missing <= 0:
            return (self._head + tail).decode("utf-8", "replace")
        note = f"\n[... {missing:,} bytes left out ...]\n"
        return self._head.decode("utf-8", "replace") + note + tail.decode("utf-8", "replace")
