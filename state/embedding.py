"""What makes vectors of texts, as those who keep and search vectors see it."""

from collections.abc import Sequence
from typing import Literal, Protocol

EmbeddingKind = Literal["query", "passage"]
Vectors = Sequence[Sequence[float]]


class Embedder(Protocol):
    """Turns texts into vectors whose nearness is nearness of meaning."""

    @property
    def name(self) -> str:
        """The model and where it runs: vectors of different names are never compared."""
        ...

    async def embed(self, texts: Sequence[str], kind: EmbeddingKind) -> Vectors:
        """A vector of length 1 for each text.

        Args:
            texts: at most about a hundred.
            kind: whether they are asked for, or are what is searched.

        Raises:
            ReplanError: the model cannot be used, or answered with something else.
        """
        ...
