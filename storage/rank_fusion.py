"""Reciprocal rank fusion, as the searches of documents and of memories do it.

What is searched gets 1 / (OFFSET + rank) of each ranked list it is in. For its rank by words that
counts times the third power of the share of the question's words that it holds, rare ones counting
more: a few chance words must not outweigh the meaning.
"""

from collections.abc import Sequence

# Fitted on questions to memories (benchmarks/retrieval.py): with the usual 60 a few shared words
# put a second or third by meaning before the first.
OFFSET = 10
SHARE_POWER = 3
LIST_LENGTH = 50  # of each list; what is further down would hardly count


def vector_text(vector: Sequence[float] | None) -> str | None:
    """A vector as pgvector reads it; None for none."""
    return None if vector is None else f"[{','.join(format(value, '.6g') for value in vector)}]"
