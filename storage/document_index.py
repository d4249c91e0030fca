"""The index of a folder of documents in Postgres: full text and vectors, asked in one query.

Words come in split by the caller, so that Chinese, which has no blanks, can be found; Postgres
takes the stems and leaves out the stop words of English.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from replan.storage.database import Database
from replan.storage.rank_fusion import LIST_LENGTH, OFFSET, SHARE_POWER, vector_text

if TYPE_CHECKING:
    from psycopg import AsyncConnection
    from psycopg.rows import DictRow

_TABLES = """
CREATE TABLE IF NOT EXISTS document_folders (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    folder text NOT NULL UNIQUE,
    made_by text NOT NULL);
CREATE TABLE IF NOT EXISTS documents (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    folder_id bigint NOT NULL REFERENCES document_folders ON DELETE CASCADE,
    path text NOT NULL,
    stamp text NOT NULL,
    problem text NOT NULL,
    UNIQUE (folder_id, path));
CREATE TABLE IF NOT EXISTS document_chunks (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    document_id bigint NOT NULL REFERENCES documents ON DELETE CASCADE,
    place text NOT NULL,
    text text NOT NULL,
    words tsvector NOT NULL,
    meaning vector);
CREATE INDEX IF NOT EXISTS document_chunks_words ON document_chunks USING gin (words);
CREATE INDEX IF NOT EXISTS document_chunks_document ON document_chunks (document_id);
"""

_STEMS = """
    ARRAY(SELECT DISTINCT stem FROM unnest(%(words)s::text[]) AS word,
          unnest(coalesce(ts_lexize('english_stem', word), ARRAY[word])) AS stem
          WHERE stem <> '')"""

_ADD = f"""
INSERT INTO document_chunks (document_id, place, text, words, meaning)
VALUES (%(document)s, %(place)s, %(text)s, array_to_tsvector({_STEMS}), %(meaning)s::vector)"""

# There is no index on the vectors: reading them all is exact, and quick enough for a folder.
_SEARCH = f"""
WITH chunks AS (
    SELECT chunk.id, chunk.words, chunk.meaning FROM document_chunks AS chunk
    JOIN documents ON documents.id = document_id WHERE folder_id = %(folder)s),
asked AS MATERIALIZED (
    SELECT stem, quote_literal(stem)::tsquery AS query FROM unnest({_STEMS}) AS stem),
hits AS MATERIALIZED (SELECT chunks.id, stem FROM asked JOIN chunks ON words @@ query),
weights AS MATERIALIZED (
    SELECT stem, ln(1 + (SELECT count(*) FROM chunks)::float8 / greatest(1, count(hits.id)))
        AS weight
    FROM asked LEFT JOIN hits USING (stem) GROUP BY stem),
by_words AS (
    SELECT id, (sum(weight) / (SELECT sum(weight) FROM weights)) ^ {SHARE_POWER} AS share,
        row_number() OVER (ORDER BY sum(weight) DESC, id) AS place
    FROM hits JOIN weights USING (stem) GROUP BY id ORDER BY place LIMIT {LIST_LENGTH}),
by_meaning AS (
    SELECT id, 1.0::float8 AS share,
        row_number() OVER (ORDER BY meaning <=> %(meaning)s::vector, id) AS place
    FROM chunks WHERE meaning IS NOT NULL AND %(meaning)s::vector IS NOT NULL
    ORDER BY place LIMIT {LIST_LENGTH}),
joined AS (
    SELECT id, sum(share / ({OFFSET} + place)) AS score
    FROM (SELECT * FROM by_words UNION ALL SELECT * FROM by_meaning) AS ranked GROUP BY id)
SELECT path, chunk.place, chunk.text FROM joined
JOIN document_chunks AS chunk USING (id) JOIN documents ON documents.id = document_id
ORDER BY score DESC, chunk.id LIMIT %(most)s"""


@dataclass(frozen=True)
class Chunk:
    """A stretch of a document: where it stands, its text, its words, its meaning if known."""

    place: str
    text: str
    words: Sequence[str]
    meaning: Sequence[float] | None = None


@dataclass(frozen=True)
class Hit:
    """A chunk that was found."""

    path: str
    place: str
    text: str


class DocumentIndex:
    """The index of one folder, open for one caller."""

    def __init__(self, connection: "AsyncConnection[DictRow]", folder_id: int) -> None:
        self._connection = connection
        self._folder = folder_id

    async def stamps(self) -> dict[str, str]:
        """By path, the stamp under which each document was indexed."""
        rows = await self._rows("SELECT path, stamp FROM documents WHERE folder_id = %s")
        return {row["path"]: row["stamp"] for row in rows}

    async def problems(self) -> dict[str, str]:
        """By path, why a document could not be read."""
        rows = await self._rows(
            "SELECT path, problem FROM documents WHERE folder_id = %s AND problem <> '' "
            "ORDER BY path"
        )
        return {row["path"]: row["problem"] for row in rows}

    async def replace(
        self, path: str, stamp: str, chunks: Sequence[Chunk], problem: str = ""
    ) -> None:
        """Put a document into the index, in place of what was known of it: all or nothing.

        Args:
            path: relative to the folder.
            stamp: changes when the document does.
            chunks: none when it cannot be read.
            problem: why it cannot be read.
        """
        async with self._connection.transaction():
            await self.remove([path])
            cursor = await self._connection.execute(
                "INSERT INTO documents (folder_id, path, stamp, problem) VALUES (%s, %s, %s, %s) "
                "RETURNING id",
                (self._folder, path, stamp, problem),
            )
            row = await cursor.fetchone()
            assert row is not None
            async with self._connection.cursor() as many:
                await many.executemany(_ADD, [_row(row["id"], chunk) for chunk in chunks])

    async def remove(self, paths: Sequence[str]) -> None:
        """Forget documents."""
        await self._connection.execute(
            "DELETE FROM documents WHERE folder_id = %s AND path = ANY(%s)",
            (self._folder, list(paths)),
        )

    async def search(
        self, words: Sequence[str], meaning: Sequence[float] | None, most: int
    ) -> list[Hit]:
        """The chunks that fit best, by words and by meaning joined; by words alone without one."""
        cursor = await self._connection.execute(
            _SEARCH,
            {
                "folder": self._folder,
                "words": list(words),
                "meaning": vector_text(meaning),
                "most": most,
            },
        )
        return [Hit(**row) for row in await cursor.fetchall()]

    async def _rows(self, query: str) -> list[dict[str, Any]]:
        cursor = await self._connection.execute(query.encode(), (self._folder,))
        return await cursor.fetchall()


@asynccontextmanager
async def open_document_index(
    database: Database, folder: str, made_by: str
) -> AsyncIterator[DocumentIndex]:
    """The index of a folder, for one caller at a time: a second one waits.

    Args:
        database: where it is kept.
        folder: the folder's absolute path.
        made_by: what made the words and vectors. An index made by something else is emptied
            first, so that vectors of two models are never compared.
    """
    import psycopg
    from psycopg.rows import dict_row

    async with await psycopg.AsyncConnection.connect(
        database.url, autocommit=True, row_factory=dict_row
    ) as connection:
        await _locked(connection, "replan documents")
        await connection.execute(_TABLES.encode())
        await connection.execute(
            "SELECT pg_advisory_unlock(hashtextextended('replan documents', 1))"
        )
        # Held until the connection closes.
        await _locked(connection, folder)
        yield DocumentIndex(connection, await _folder_id(connection, folder, made_by))


async def _locked(connection: "AsyncConnection[DictRow]", what: str) -> None:
    # Asked again and again rather than waited for: a waiting statement holds a snapshot, for
    # which the making of other tables would wait in turn.
    while True:
        cursor = await connection.execute(
            "SELECT pg_try_advisory_lock(hashtextextended(%s, 1)) AS mine", (what,)
        )
        if (row := await cursor.fetchone()) and row["mine"]:
            return
        await asyncio.sleep(0.05)


async def _folder_id(connection: "AsyncConnection[DictRow]", folder: str, made_by: str) -> int:
    async with connection.transaction():
        await connection.execute(
            "DELETE FROM document_folders WHERE folder = %s AND made_by <> %s", (folder, made_by)
        )
        await connection.execute(
            "INSERT INTO document_folders (folder, made_by) VALUES (%s, %s) ON CONFLICT DO NOTHING",
            (folder, made_by),
        )
        cursor = await connection.execute(
            "SELECT id FROM document_folders WHERE folder = %s", (folder,)
        )
        row = await cursor.fetchone()
    assert row is not None
    return int(row["id"])


def _row(document: int, chunk: Chunk) -> dict[str, Any]:
    return {
        "document": document,
        "place": chunk.place,
        "text": chunk.text,
        "words": list(chunk.words),
        "meaning": vector_text(chunk.meaning),
    }
