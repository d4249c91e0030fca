"""How checkpoints descend from each other, as far as it takes to tell a branch."""

from collections import OrderedDict
from typing import Any

from psycopg import AsyncConnection

# How the checkpoints came to be that this process has written, by thread, namespace
# and id, latest last.
_SOURCES: OrderedDict[tuple[str, str, str], str] = OrderedDict()
_MOST_SOURCES = 1000

# Metadata of a checkpoint that was made to be a branch, also where nothing else follows the one it
# was made from.
OWN_BRANCH = "replan_fork"

# Up from the checkpoint while it is not one that the loop itself has written: whether one of them
# was made to be a branch, or shares its parent with another.
_BRANCHES_OFF = """
WITH RECURSIVE up AS (
    SELECT checkpoint_id, parent_checkpoint_id, metadata FROM checkpoints
    WHERE thread_id = %(thread)s AND checkpoint_ns = %(namespace)s
      AND checkpoint_id = %(checkpoint)s
      AND metadata->>'source' IN ('fork', 'update')
  UNION ALL
    SELECT above.checkpoint_id, above.parent_checkpoint_id, above.metadata
    FROM checkpoints AS above JOIN up ON above.checkpoint_id = up.parent_checkpoint_id
    WHERE above.thread_id = %(thread)s AND above.checkpoint_ns = %(namespace)s
      AND above.metadata->>'source' IN ('fork', 'update')
)
SELECT EXISTS (
    SELECT FROM up WHERE metadata ? %(mark)s OR EXISTS (
        SELECT FROM checkpoints AS other
        WHERE other.thread_id = %(thread)s AND other.checkpoint_ns = %(namespace)s
          AND other.parent_checkpoint_id = up.parent_checkpoint_id
          AND other.checkpoint_id <> up.checkpoint_id
    )
) AS found"""


def note_source(thread_id: str, checkpoint_id: str, source: str, namespace: str = "") -> None:
    """Remember how a checkpoint came to be that was just written."""
    _SOURCES[thread_id, namespace, checkpoint_id] = source
    if len(_SOURCES) > _MOST_SOURCES:
        _SOURCES.popitem(last=False)


def noted_source(thread_id: str, checkpoint_id: str, namespace: str = "") -> str | None:
    """How a checkpoint came to be that this process wrote lately: input, loop, update or fork;
    None where the database has to be asked.
    """
    return _SOURCES.get((thread_id, namespace, checkpoint_id))


async def source_of(
    connection: AsyncConnection[Any], thread_id: str, checkpoint_id: str, namespace: str = ""
) -> str | None:
    """How a checkpoint came to be: input, loop, update or fork; None when it is not there."""
    cursor = await connection.execute(
        "SELECT metadata->>'source' AS source FROM checkpoints "
        "WHERE thread_id = %s AND checkpoint_ns = %s AND checkpoint_id = %s",
        (thread_id, namespace, checkpoint_id),
    )
    row = await cursor.fetchone()
    if row is None:
        return None
    return str((row["source"] if isinstance(row, dict) else row[0]) or "")


async def branches_off(
    connection: AsyncConnection[Any], thread_id: str, checkpoint_id: str, namespace: str = ""
) -> bool:
    """Whether what starts from a checkpoint is a branch beside another one.

    So it is after a fork of a checkpoint that others follow, or that was made to be a fork; not
    where the thread only goes on, resumed or with its state edited at its end.
    """
    cursor = await connection.execute(
        _BRANCHES_OFF.encode(),
        {
            "thread": thread_id,
            "namespace": namespace,
            "checkpoint": checkpoint_id,
            "mark": OWN_BRANCH,
        },
    )
    row = await cursor.fetchone()
    return bool(row and (row["found"] if isinstance(row, dict) else row[0]))
