"""The journal: every model and tool call of a run, written before it is made and after.

A call is known by its place: the thread, LangGraph's id of the node's execution, and its number
among the calls of that execution. LangGraph derives that id from the checkpoint that the execution
starts from, so a run that is resumed meets its own entries, and a fork, which begins with a
checkpoint of its own, does not.
"""

import asyncio
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from psycopg import AsyncConnection
from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from replan.storage import blobs
from replan.storage.database import UNHURRIED
from replan.storage.revisions import Revisions

_INLINE_BYTES = 64_000  # Compressed at once: a thread costs more.

# `check`: checks that run code; `approval`: what a person has answered; `store`: long-term memory;
# `join`: what came of bringing together the files of tasks side by side; `settings`: what the run
# was told, and its tools.
Kind = Literal["model", "tool", "check", "approval", "store", "join", "settings"]
Outcome = Literal["pending", "ok", "failed"]
# The role of a tool call that code made while its own call was under way: its execution is the
# id of that call.
OF_CODE = "code"


@dataclass(frozen=True)
class Place:
    """Where in a run calls are made.

    Attributes:
        thread_id: the thread.
        checkpoint_id: the checkpoint that the node's execution starts from.
        execution: LangGraph's id of the execution: the same again when the run is resumed.
        step: number of the super-step.
        node: name of the node.
        task: id of the plan's task, "" outside one.
    """

    thread_id: str
    checkpoint_id: str
    execution: str
    step: int
    node: str
    task: str = ""


@dataclass(frozen=True)
class Entry:
    """One call as the journal has it.

    `request` and `response` are JSON; `response` is None while the outcome is pending, and the
    error's one line, as {"error": ...}, where it failed. `revision` is the workspace's when the
    call was begun, and `left` the one it left behind. `begun_before` says that an earlier process
    began this call and did not see its end.
    """

    id: int
    place: Place
    number: int
    kind: Kind
    role: str
    name: str
    request_sha256: str
    outcome: Outcome
    response: Any = None
    usage: dict[str, Any] | None = None
    revision: str = ""
    left: str = ""
    started: datetime | None = None
    ended: datetime | None = None
    begun_before: bool = False

    @property
    def call_id(self) -> str:
        """The same for every attempt at this call, and no other's."""
        return f"{self.place.execution}:{self.number}"


def canonical(value: Any, in_order: bool = True) -> bytes:
    """JSON in one form, so that equal requests have equal bytes; or with its keys in their own
    order, which prompts may show.
    """
    return json.dumps(
        value, sort_keys=in_order, ensure_ascii=False, separators=(",", ":"), default=str
    ).encode("utf-8", "replace")


def sha256_of(request: Any) -> str:
    """The hash that a request is known by."""
    return hashlib.sha256(canonical(request)).hexdigest()


class Journal:
    """Writes and reads entries.

    Args:
        revisions: on the same database; its connections are used.
    """

    def __init__(self, revisions: Revisions) -> None:
        self.revisions = revisions

    async def begin(
        self,
        place: Place,
        number: int,
        kind: Kind,
        *,
        role: str,
        name: str,
        request: Any,
        revision: str = "",
    ) -> Entry:
        """Note that a call is about to be made; or find what is known of it.

        An entry of the same place with another request is replaced: today's code asks something
        else. One that failed is begun anew. Either way the entry keeps what it has used up.

        Args:
            place: where it is made.
            number: its number among the calls of the execution.
            kind: what is called.
            role: who makes it.
            name: the model's or the tool's.
            request: what is asked, as JSON without secrets.
            revision: of the workspace.

        Raises:
            DatabaseError: it cannot be written.
        """
        body = await _body(request)
        values = {
            "thread": place.thread_id, "checkpoint": place.checkpoint_id,
            "execution": place.execution, "step": place.step, "node": place.node,
            "task": place.task, "number": number, "kind": kind, "role": role, "name": name,
            "revision": revision, **body,
        }  # fmt: skip
        digest: bytes = body["sha256"]
        async with self.revisions.connection() as connection:
            row = await (await connection.execute(_BEGIN, values)).fetchone()
            if row is None:  # There is one of that place.
                entry = await _entry(connection, place, number)
                if entry.request_sha256 == digest.hex() and entry.outcome != "failed":
                    return entry
                row = await (await connection.execute(_BEGIN_ANEW, values)).fetchone()
        assert row is not None
        return Entry(
            id=row["id"], place=place, number=number, kind=kind, role=role, name=name,
            request_sha256=digest.hex(), outcome="pending", revision=revision,
            usage=row["usage"], started=row["started"],
        )  # fmt: skip

    async def finish(
        self,
        entry: Entry,
        response: Any,
        *,
        outcome: Outcome = "ok",
        usage: Mapping[str, Any] | None = None,
        left: str = "",
    ) -> None:
        """Note what came of a call.

        Args:
            entry: from `begin`.
            response: JSON.
            outcome: whether it is a result.
            usage: what it used; None leaves what is noted of it.
            left: the workspace's revision after it.

        Raises:
            DatabaseError: it cannot be written.
        """
        body = await _body(response, in_order=False)
        spent = None if usage is None else Jsonb(dict(usage))
        values = {"outcome": outcome, "usage": spent, "left": left, "id": entry.id, **body}
        async with self.revisions.connection() as connection:
            unhurried = entry.kind in _MADE_AGAIN
            await connection.execute(_FINISH_UNHURRIED if unhurried else _FINISH.encode(), values)

    async def of_checkpoint(self, thread_id: str, checkpoint_id: str) -> list[Entry]:
        """The calls of all executions that started from a checkpoint, in the order of their
        beginning, with their responses.
        """
        return await self._entries(
            "thread_id = %s AND checkpoint_id = %s", (thread_id, checkpoint_id)
        )

    async def of_execution(self, thread_id: str, execution: str) -> list[Entry]:
        """The calls of one execution, in the order of their beginning."""
        return await self._entries("thread_id = %s AND execution = %s", (thread_id, execution))

    async def of_thread(self, thread_id: str) -> list[Entry]:
        """All calls of a thread, of all its branches, in the order of their beginning."""
        return await self._entries("thread_id = %s", (thread_id,))

    async def request(self, entry: Entry) -> Any:
        """What was asked.

        Raises:
            RevisionError: it is not in the database any more.
        """
        async with self.revisions.connection() as connection:
            return (await _bodies(connection, [entry.request_sha256]))[entry.request_sha256]

    async def requests(self, entries: Sequence[Entry]) -> dict[str, Any]:
        """What was asked, by the hash of the request; those that are gone are left out."""
        names = sorted({entry.request_sha256 for entry in entries})
        if not names:
            return {}
        async with self.revisions.connection() as connection:
            return await _bodies(connection, names)

    async def _entries(self, condition: str, values: tuple[Any, ...]) -> list[Entry]:
        async with self.revisions.connection() as connection:
            cursor = await connection.execute(
                f"SELECT * FROM replan_journal WHERE {condition} ORDER BY id".encode(), values
            )
            rows = await cursor.fetchall()
            wanted = sorted({row["response"].hex() for row in rows if row["response"]})
            known = await _bodies(connection, wanted) if wanted else {}
        return [_read(row, known) for row in rows]


# The body goes in by the same statement: every round trip counts, several times a step.
_BODY = """
WITH body AS (
    INSERT INTO replan_blobs (sha256, size, codec, data)
    VALUES (%(sha256)b, %(size)s, %(codec)s, %(data)b) ON CONFLICT DO NOTHING
)
"""
_BEGIN = (
    _BODY
    + """
INSERT INTO replan_journal
    (thread_id, checkpoint_id, execution, step, node, task, number, kind, role, name, request,
     revision)
VALUES (%(thread)s, %(checkpoint)s, %(execution)s, %(step)s, %(node)s, %(task)s, %(number)s,
    %(kind)s, %(role)s, %(name)s, %(sha256)b, %(revision)s)
ON CONFLICT (thread_id, execution, number) DO NOTHING
RETURNING id, started, usage"""
).encode()
_BEGIN_ANEW = (
    _BODY
    + """
UPDATE replan_journal SET
    kind = %(kind)s, role = %(role)s, name = %(name)s, request = %(sha256)b, response = NULL,
    outcome = 'pending', revision = %(revision)s, left_revision = '',
    started = now(), ended = NULL
WHERE thread_id = %(thread)s AND execution = %(execution)s AND number = %(number)s
RETURNING id, started, usage"""
).encode()
_FINISH = (
    _BODY
    + """
UPDATE replan_journal SET outcome = %(outcome)s, response = %(sha256)b,
    usage = coalesce(%(usage)s, usage, '{}'), left_revision = %(left)s, ended = now()
WHERE id = %(id)s"""
)
# Lost in a power cut before the disk has it, such a call is made again and changes nothing. What is
# built on it comes after it, a checkpoint too.
_MADE_AGAIN: frozenset[Kind] = frozenset({"model", "check"})
_FINISH_UNHURRIED = f"{_FINISH} RETURNING {UNHURRIED}".encode()


async def _entry(connection: AsyncConnection[DictRow], place: Place, number: int) -> Entry:
    cursor = await connection.execute(
        "SELECT * FROM replan_journal WHERE thread_id = %s AND execution = %s AND number = %s",
        (place.thread_id, place.execution, number),
    )
    row = await cursor.fetchone()
    assert row is not None
    known = await _bodies(connection, [row["response"].hex()]) if row["response"] else {}
    return _read(row, known, begun_before=row["outcome"] == "pending")


def _read(row: DictRow, known: Mapping[str, Any], begun_before: bool = False) -> Entry:
    place = Place(
        row["thread_id"], row["checkpoint_id"], row["execution"], row["step"], row["node"],
        row["task"],
    )  # fmt: skip
    return Entry(
        id=row["id"], place=place, number=row["number"], kind=row["kind"], role=row["role"],
        name=row["name"], request_sha256=bytes(row["request"]).hex(), outcome=row["outcome"],
        response=known.get(bytes(row["response"]).hex()) if row["response"] else None,
        usage=row["usage"], revision=row["revision"], left=row["left_revision"],
        started=row["started"], ended=row["ended"], begun_before=begun_before,
    )  # fmt: skip


async def _bodies(connection: AsyncConnection[DictRow], names: list[str]) -> dict[str, Any]:
    found = await blobs.fetch(connection, names)
    return await asyncio.to_thread(
        lambda: {name: json.loads(blobs.unpacked(name, *packed)) for name, packed in found.items()}
    )


async def _body(value: Any, in_order: bool = True) -> dict[str, Any]:
    """A request or response as its blob: name, size, codec and stored form."""
    data = canonical(value, in_order)
    large = len(data) > _INLINE_BYTES
    codec, stored = await asyncio.to_thread(blobs.packed, data) if large else blobs.packed(data)
    return {
        "sha256": hashlib.sha256(data).digest(), "size": len(data), "codec": codec, "data": stored
    }  # fmt: skip
