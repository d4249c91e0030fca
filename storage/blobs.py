"""Content of files, kept once by its sha256 however many revisions hold it."""

import hashlib
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

from psycopg import AsyncConnection

from replan.state.errors import RevisionError

RAW, ZLIB = 0, 1
_LEVEL = 1
_LEAST_BYTES = 128  # Below, nothing is won.
_SAMPLE_BYTES = 64 * 1024
_PAYS = 0.9

# Size, codec and stored form by sha256.
Blobs = Mapping[str, tuple[int, int, bytes]]


def packed(data: bytes) -> tuple[int, bytes]:
    """Codec and stored form: compressed where that saves a tenth. Blocking."""
    if len(data) < _LEAST_BYTES:
        return RAW, data
    sample = data[:_SAMPLE_BYTES]
    compressed = zlib.compress(sample, _LEVEL)
    if len(compressed) > len(sample) * _PAYS:
        return RAW, data
    return ZLIB, compressed if len(sample) == len(data) else zlib.compress(data, _LEVEL)


def unpacked(sha256: str, codec: int, data: bytes) -> bytes:
    """The content, checked against its name. Blocking.

    Raises:
        RevisionError: it is damaged, or stored by a newer version.
    """
    if codec not in (RAW, ZLIB):
        raise RevisionError(
            f"the blob {sha256[:12]} was stored by a newer version.", "Update replan."
        )
    try:
        content = data if codec == RAW else zlib.decompress(data)
    except zlib.error:
        content = b""
    if hashlib.sha256(content).hexdigest() != sha256:
        raise RevisionError(f"the blob {sha256[:12]} in the database is damaged.")
    return content


async def missing(connection: AsyncConnection[Any], names: Sequence[str]) -> set[str]:
    """Those of the sha256 that are not stored yet."""
    cursor = await connection.execute(
        "SELECT encode(wanted, 'hex') AS sha256 FROM unnest(%b::bytea[]) AS wanted "
        "WHERE NOT EXISTS (SELECT FROM replan_blobs WHERE sha256 = wanted)",
        ([bytes.fromhex(name) for name in names],),
    )
    return {row["sha256"] for row in await cursor.fetchall()}


# They go in by order of name: two runs that store the same files wait for each other in turn, and
# not both at once.
INSERT = """
    INSERT INTO replan_blobs (sha256, size, codec, data)
    SELECT * FROM unnest(%(names)b::bytea[], %(sizes)b::bigint[], %(codecs)b::smallint[],
        %(stored)b::bytea[])
    ON CONFLICT DO NOTHING"""


def columns(blobs: Blobs) -> dict[str, Any]:
    """The values of `INSERT`."""
    names = sorted(blobs)
    return {
        "names": [bytes.fromhex(name) for name in names],
        "sizes": [blobs[name][0] for name in names],
        "codecs": [blobs[name][1] for name in names],
        "stored": [blobs[name][2] for name in names],
    }


async def insert(connection: AsyncConnection[Any], blobs: Blobs) -> None:
    """Store blobs. In one statement, all or none."""
    if blobs:
        await connection.execute(INSERT.encode(), columns(blobs))


async def fetch(
    connection: AsyncConnection[Any], names: Sequence[str]
) -> dict[str, tuple[int, bytes]]:
    """Codec and stored form by sha256.

    Raises:
        RevisionError: one of them is not there.
    """
    cursor = await connection.execute(
        "SELECT encode(sha256, 'hex') AS sha256, codec, data FROM replan_blobs "
        "WHERE sha256 = ANY(%b::bytea[])",
        ([bytes.fromhex(name) for name in names],),
        binary=True,
    )
    found = {row["sha256"]: (row["codec"], row["data"]) for row in await cursor.fetchall()}
    for name in names:
        if name not in found:
            raise RevisionError(f"the blob {name[:12]} is not in the database.")
    return found
