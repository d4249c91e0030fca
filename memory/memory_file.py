"""The file that memories are exported to and imported from: JSON lines.

The first line says what the file is, the last how many memories it holds, so that one which was
cut is noticed; each line between them is a memory. Vectors are left out: they are made anew by the
embedding model of wherever the file is read.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import IO, Any, NoReturn

from pydantic import BaseModel, ValidationError

from replan.memory.likeness import MADE_ID, memory_id
from replan.state.errors import ExportError
from replan.state.memory import DETAIL_CHARS, TEXT_CHARS, Memory
from replan.state.secret_values import secret_values

FORMAT = "replan-memories"
VERSION = 1
_ID_CHARS = 200
# More than any memory takes, so that of one which is too long the length can be told.
_LINE_BYTES = 4_000_000


class Header(BaseModel):
    """The first line: what the file is, and whose memories it holds."""

    format: str
    version: int
    exported: datetime | None = None
    user: str = ""
    project: str = ""


class MemoryWriter:
    """Writes one file of memories; complete with `end`.

    Args:
        file: open for writing bytes.
        user: whose memories they are.
        project: of which project they are.
    """

    def __init__(self, file: IO[bytes], user: str, project: str) -> None:
        self._file = file
        self.written = 0
        now = datetime.now(UTC)
        header = Header(format=FORMAT, version=VERSION, exported=now, user=user, project=project)
        self._line(header.model_dump(mode="json"))

    def write(self, memory: Memory) -> None:
        """One memory, with all that is known of it."""
        self._line(memory.model_dump(mode="json", exclude_defaults=True))
        self.written += 1

    def end(self) -> None:
        """The last line."""
        self._line({"memories": self.written})

    def _line(self, value: dict[str, Any]) -> None:
        self._file.write(json.dumps(value, ensure_ascii=False).encode() + b"\n")


class MemoryReader:
    """Reads one file of memories from its beginning. Iterating gives each memory, checked.

    Args:
        file: open for reading bytes.
        name: of the file, for errors.

    Raises:
        ExportError: here or while iterating: the file is another, damaged, cut, or of a newer
            version; or a memory is too long, or holds one of the configured keys. It names the
            line.
    """

    def __init__(self, file: IO[bytes], name: str) -> None:
        self._file = file
        self._name = name
        self._at = 0
        self.read = 0
        self._secrets = secret_values()
        self.header = self._header()

    def __iter__(self) -> Iterator[Memory]:
        while line := self._line():
            fields = self._object(line)
            if fields.keys() == {"memories"}:
                self._end(fields["memories"])
                return
            memory = self._memory(fields)
            self.read += 1
            yield memory
        raise ExportError(
            f"{self._name} ends after line {self._at} without its last line: it was cut.",
            "Export it again.",
        )

    def _header(self) -> Header:
        # Whatever else it may be, its first line need not end soon.
        try:
            header = Header.model_validate(json.loads(self._file.readline(_LINE_BYTES)))
        except (ValueError, RecursionError):  # pydantic's error is one too
            header = Header(format="", version=0)
        self._at = 1
        if header.format != FORMAT:
            raise ExportError(
                f"{self._name} is no file of `replan memory export`.",
                f'Its first line would be {{"format": "{FORMAT}", ...}}.',
            )
        if not 1 <= header.version <= VERSION:
            raise ExportError(
                f"{self._name} has version {header.version} of the format; this replan reads "
                f"version {VERSION}.",
                "Use a newer replan.",
            )
        return header

    def _line(self) -> bytes:
        line = self._file.readline(_LINE_BYTES)
        self._at += bool(line)
        if len(line) == _LINE_BYTES and not line.endswith(b"\n"):
            self._refuse(f"is longer than {_LINE_BYTES:,} bytes")
        return line

    def _object(self, line: bytes) -> dict[str, Any]:
        try:
            fields = json.loads(line, parse_constant=_no_number)
            # What is beyond the largest number has become infinite, which no database keeps.
            json.dumps(fields, allow_nan=False, ensure_ascii=False).encode()
        except UnicodeError:
            self._refuse("is not readable text")
        except (ValueError, RecursionError):
            self._refuse("is not JSON")
        if not isinstance(fields, dict):
            self._refuse("is no JSON object")
        return fields

    def _memory(self, fields: dict[str, Any]) -> Memory:
        text = fields.get("text")
        if isinstance(text, str) and len(text) > TEXT_CHARS:
            said = f"has a memory of {len(text):,} characters; {TEXT_CHARS:,} are the most"
            self._refuse(said, "Shorten it.")
        try:
            memory = Memory.model_validate(fields)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(str(part) for part in first["loc"])
            self._refuse(f"is no memory: {where}: {first['msg']}")
        said_in_it = list(_texts(fields))
        if any("\0" in one for one in said_in_it):
            self._refuse("is not readable text: it holds a NUL")
        if len(json.dumps(memory.detail, ensure_ascii=False)) > DETAIL_CHARS:
            self._refuse(f"has a detail of more than {DETAIL_CHARS:,} characters", "Shorten it.")
        if any(secret in one for secret in self._secrets for one in said_in_it):
            self._refuse("holds one of the configured keys", "Take it out.")
        own_id = memory_id(memory.kind, memory.text)
        # A graph may have kept it under any key; one made of a text is that text's alone.
        if MADE_ID.fullmatch(memory.id) and memory.id != own_id:
            self._refuse("has an id that is not made of its kind and text", "Leave the id out.")
        if len(memory.id) > _ID_CHARS:
            self._refuse(f"has an id of more than {_ID_CHARS} characters", "Leave the id out.")
        memory.id = memory.id or own_id
        if memory.learned is not None and memory.learned.tzinfo is None:
            memory.learned = memory.learned.replace(tzinfo=UTC)
        if memory.ended is not None and memory.ended.tzinfo is None:
            memory.ended = memory.ended.replace(tzinfo=UTC)
        return memory

    def _end(self, told: object) -> None:
        if self._file.readline(_LINE_BYTES).strip():
            self._refuse("ends the file, but more follows")
        if told != self.read:
            raise ExportError(
                f"{self._name} holds {self.read} memories, and its last line says {told!r:.20}.",
                "It was cut or changed: export it again, or correct that line.",
            )

    def _refuse(self, said: str, todo: str = "") -> NoReturn:
        raise ExportError(
            f"line {self._at} of {self._name} {said}.", f"{todo} Nothing was imported.".strip()
        )


def _no_number(name: str) -> NoReturn:
    raise ValueError(name)


def _texts(value: Any) -> Iterator[str]:
    """Every text in a JSON value, names of fields too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from value
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
