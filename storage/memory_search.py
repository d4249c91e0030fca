"""The search for memories: words, vectors, recency and importance, in one query.

Three ranked lists joined by reciprocal rank fusion (`rank_fusion`):

- by words. Those find memories that at most `_COMMON` of them hold; a more common one counts for
  what the others found. Where all are common, those are found that hold all of them.
- by meaning. Up to `EXACT` memories are compared one by one, which misses none; among more, the
  HNSW index is asked.
- of what these found, the more important first, then the later. That list counts so little that it
  decides only between what the others hold to be equal: as a factor, or with full weight, recency
  puts wrong answers before right ones.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from replan.storage.memory_index import Vectors
from replan.storage.memory_tables import LIVING
from replan.storage.rank_fusion import LIST_LENGTH, OFFSET, SHARE_POWER, vector_text

if TYPE_CHECKING:
    from psycopg import AsyncConnection
    from psycopg.rows import DictRow

    Connection = AsyncConnection[DictRow]

# Less than what lies between the first and the second place of another list, even from the first
# to the last place of this one.
PRIOR_WEIGHT = 0.025
# By benchmarks/memory_scale.py: to compare one takes half a microsecond; for more than these the
# index is as quick, and finds enough, even where they are but few among those of others.
EXACT = 30_000
EF_SEARCH = 200
_FROM_INDEX = 12  # what is searched for there; each more has it wade through others' memories
_COMMON = 500
_MOST_STEMS = 96  # of a long question, the longer ones: they are the rarer
_QUERY_CHARS = 2_000

_NOT_EXPIRED = "(v.prefix, v.key) NOT IN (SELECT prefix, key FROM store WHERE expires_at <= now())"

# The search in the index goes on until enough is found; without that, it gives what is left of the
# nearest `EF_SEARCH` memories of everybody when those of others are taken away: often nothing. In
# `strict_order` it drops what it finds late: of an owner's ten nearest among 2 % of a million it
# found nine then, and all in `relaxed_order`. Whoever searches sorts what was found.
INDEX_SETTINGS = {
    "hnsw.iterative_scan": "relaxed_order",
    "hnsw.ef_search": str(EF_SEARCH),
    "hnsw.scan_mem_multiplier": "4",
}
# What must not be done: plan for parameters on the average, compile the query, start processes for
# a part of it that is then left out, or take a page that is in memory to be far away.
_PLANNING = {
    "plan_cache_mode": "force_custom_plan",
    "jit": "off",
    "max_parallel_workers_per_gather": "0",
    "random_page_cost": "1.1",
}
# An older pgvector refuses settings that it does not know.
_KNOWN = (
    "(SELECT bool_or(extversion !~ '^0\\.[0-7]\\D') FROM pg_extension WHERE extname = 'vector')"
)


def _set(settings: Mapping[str, str]) -> str:
    """An expression that sets them until the transaction ends."""
    return " || ".join(f"set_config('{name}', '{value}', true)" for name, value in settings.items())


_SETTINGS = f"""
SELECT {_set(_PLANNING)}, CASE WHEN {_KNOWN} THEN {_set(INDEX_SETTINGS)} END,
    (SELECT made_by FROM replan_memory_index) AS made_by"""

_BY_WORDS = f"""
mine AS MATERIALIZED (
    SELECT string_agg(quote_literal('@' || md5(prefix)), ' | ')::tsquery AS query
    FROM unnest(%(prefixes)s::text[]) AS prefix),
size AS MATERIALIZED (
    SELECT count(*) AS n FROM (
        SELECT FROM store WHERE prefix = ANY(%(prefixes)s) LIMIT {EXACT} + 1) AS counted),
asked AS MATERIALIZED (
    SELECT stem, mine.query && quote_literal(stem)::tsquery AS query
    FROM mine, unnest(replan_memory_stems(left(%(query)s, {_QUERY_CHARS}))) AS stem
    ORDER BY length(stem) DESC, stem LIMIT {_MOST_STEMS}),
found AS MATERIALIZED (
    SELECT stem, hit.prefix, hit.key FROM asked CROSS JOIN LATERAL (
        SELECT prefix, key FROM store WHERE memory_words @@ asked.query AND {LIVING}
        LIMIT {_COMMON} + 1) AS hit),
weights AS MATERIALIZED (
    SELECT stem, count(found.key) > {_COMMON} AS common,
        ln(1 + size.n::float8 / greatest(1, count(found.key))) AS weight
    FROM asked CROSS JOIN size LEFT JOIN found USING (stem) GROUP BY stem, size.n),
with_all AS MATERIALIZED (
    SELECT prefix, key FROM store
    WHERE (SELECT bool_and(common) FROM weights) AND {LIVING} AND memory_words @@ (
        SELECT mine.query && (SELECT string_agg(quote_literal(stem), ' & ')::tsquery FROM asked)
        FROM mine)
    LIMIT {_COMMON})"""

# LATERAL with LIMIT: rows are fetched by their keys, however many the planner expects.
_RANKED_BY_WORDS = f"""
candidates AS MATERIALIZED (
    SELECT prefix, key FROM found JOIN weights USING (stem)
    WHERE NOT common
        OR ((SELECT bool_and(common) FROM weights) AND NOT EXISTS (SELECT FROM with_all))
    UNION SELECT prefix, key FROM with_all UNION SELECT prefix, key FROM near),
read_again AS MATERIALIZED (
    SELECT c.prefix, c.key, memory_words FROM candidates AS c CROSS JOIN LATERAL (
        SELECT memory_words FROM store WHERE prefix = c.prefix AND key = c.key LIMIT 1) AS row
    WHERE (SELECT bool_or(common) FROM weights)),
held AS (
    SELECT weight, prefix, key FROM found JOIN weights USING (stem) WHERE NOT common
    UNION ALL
    SELECT weight, prefix, key FROM read_again
    JOIN (SELECT weight, query FROM weights JOIN asked USING (stem) WHERE common) AS often
        ON memory_words @@ often.query),
by_words AS (
    SELECT prefix, key, (sum(weight) / (SELECT sum(weight) FROM weights)) ^ {SHARE_POWER} AS share,
        rank() OVER (ORDER BY round(sum(weight)::numeric, 6) DESC) AS place
    FROM held GROUP BY prefix, key ORDER BY place, key LIMIT {LIST_LENGTH})"""

# With "+ 0" no index can give that order: all are compared.
_NEAR = f"""
near AS MATERIALIZED (
    (SELECT v.prefix, v.key, (v.embedding <=> %(vector)s) + 0 AS distance FROM store_vectors AS v
    WHERE (SELECT n <= {EXACT} FROM size) AND v.prefix = ANY(%(prefixes)s) AND {_NOT_EXPIRED}
    ORDER BY distance LIMIT {LIST_LENGTH})
    UNION ALL
    (SELECT v.prefix, v.key, v.embedding <=> %(vector)s FROM store_vectors AS v
    WHERE (SELECT n > {EXACT} FROM size) AND v.prefix = ANY(%(prefixes)s) AND {_NOT_EXPIRED}
    ORDER BY v.embedding <=> %(vector)s
    LIMIT greatest({_FROM_INDEX}, least(%(most)s, {LIST_LENGTH}))))"""

_NOT_NEAR = "near AS (SELECT prefix, key, 0::float8 AS distance FROM store LIMIT 0)"

_JOINED = f"""
by_meaning AS (
    SELECT prefix, key, rank() OVER (ORDER BY distance) AS place FROM near),
joined AS (
    SELECT prefix, key, sum(share / ({OFFSET} + place)) AS score, bool_or(by_words) AS by_words
    FROM (
        SELECT prefix, key, share, place, true AS by_words FROM by_words
        UNION ALL SELECT prefix, key, 1, place, false FROM by_meaning) AS lists
    GROUP BY prefix, key),
ranked AS (
    SELECT joined.*, value, created_at, updated_at,
        score + {PRIOR_WEIGHT}::float8 / ({OFFSET} + row_number() OVER (
            ORDER BY CASE WHEN jsonb_typeof(value -> 'importance') = 'number'
                THEN (value ->> 'importance')::float8 ELSE 0.5 END DESC, updated_at DESC, key)
        ) AS fused
    FROM joined JOIN store USING (prefix, key))"""

_BY_WORDS_ALONE = f"""
WITH {_BY_WORDS}, {_NOT_NEAR}, {_RANKED_BY_WORDS}, {_JOINED}
SELECT prefix, key, value, created_at, fused AS score, NULL::float8 AS similarity FROM ranked
ORDER BY fused DESC, key LIMIT %(most)s"""

_BY_BOTH = f"""
WITH {_BY_WORDS}, {_NEAR}, {_RANKED_BY_WORDS}, {_JOINED}
SELECT prefix, key, value, ranked.created_at, fused AS score,
    1 - (embedding <=> %(vector)s) AS similarity
FROM ranked LEFT JOIN store_vectors USING (prefix, key)
WHERE by_words OR 1 - (embedding <=> %(vector)s) >= %(least_similar)s
ORDER BY fused DESC, key LIMIT %(most)s"""


@dataclass(frozen=True)
class Row:
    """A row of the store that was found. `similarity` is the cosine, None without vectors."""

    prefix: str
    key: str
    value: dict[str, Any]
    created_at: datetime
    score: float
    similarity: float | None


async def search(
    connection: "Connection",
    prefixes: Sequence[str],
    query: str,
    question: Vectors,
    most: int,
    least_similar: float,
) -> list[Row] | None:
    """The memories of these namespaces that fit best.

    Those that have expired, or are true no more, are left out.

    Args:
        connection: of `open_persistence`.
        prefixes: whole namespaces, their labels joined by points.
        query: the question in words.
        question: its vector; without one it goes by words.
        most: how many.
        least_similar: the cosine that those must reach which share no word with the question.

    Returns:
        The best first; None where the vectors are another model's by now: without the question's
        vector they can be searched.
    """
    vector = vector_text(question.vectors[0]) if question.vectors else None
    given = {"prefixes": list(prefixes), "query": query, "most": most}
    given |= {"vector": vector, "least_similar": least_similar}
    async with connection.transaction():
        row = await (await connection.execute(_SETTINGS.encode())).fetchone()
        if vector and (row is None or row["made_by"] != question.made_by):
            return None
        statement = _BY_BOTH if vector else _BY_WORDS_ALONE
        cursor = await connection.execute(statement.encode(), given)
        return [Row(**row) for row in await cursor.fetchall()]
