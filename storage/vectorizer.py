"""The embedding model as the store uses it: chosen when first needed, asked with patience."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence

from langchain_core.embeddings import Embeddings

from replan.state.embedding import Embedder, EmbeddingKind
from replan.state.errors import ModelUnavailableError, ReplanError

ChooseEmbedder = Callable[[], Embedder | None]

_REMEMBERED = 256  # questions: one is often asked for facts, for experience and for skills
_AT_ONCE = 32  # texts
_LONGEST_TEXT = 4_000  # characters; models take no more than some hundred words
_QUESTION_SECONDS = 15.0  # a step waits for it; the embedded model is loaded in two
_PASSAGES_SECONDS = 120.0
_REST_SECONDS = 30.0  # after a failure: a server that is gone must not delay every step


class Vectorizer(Embeddings):
    """Vectors of questions and of passages, by the model that the settings name.

    LangGraph's store asks it too, by the interface of LangChain, and for questions alone: the
    vectors of what is kept are not written by LangGraph (see `MemoryIndex`).

    Args:
        choose: gives the embedder, None where there is none. It may read files.
    """

    def __init__(self, choose: ChooseEmbedder | None = None) -> None:
        self._choose = choose
        self._embedder: Embedder | None = None
        self._questions: OrderedDict[str, list[float]] = OrderedDict()
        self._failed: tuple[float, ReplanError] | None = None

    async def name(self) -> str:
        """The model's name, "" where there is none; nothing is asked or loaded for it."""
        if self._choose is not None:
            self._embedder = await asyncio.to_thread(self._choose)
            self._choose = None
        return self._embedder.name if self._embedder else ""

    async def question(self, text: str) -> list[float]:
        """The vector of a question; the latest ones are remembered.

        Raises:
            ReplanError: the model cannot be used, or could not a moment ago.
        """
        text = text[:_LONGEST_TEXT]
        if text not in self._questions:
            [self._questions[text]] = await self._embed([text], "query", _QUESTION_SECONDS)
        self._questions.move_to_end(text)
        while len(self._questions) > _REMEMBERED:
            self._questions.popitem(last=False)
        return self._questions[text]

    async def passages(self, texts: Sequence[str]) -> list[list[float]]:
        """The vectors of what is searched.

        Raises:
            ReplanError: the model cannot be used, or could not a moment ago.
        """
        vectors: list[list[float]] = []
        for start in range(0, len(texts), _AT_ONCE):
            part = [text[:_LONGEST_TEXT] for text in texts[start : start + _AT_ONCE]]
            vectors += await self._embed(part, "passage", _PASSAGES_SECONDS)
        return vectors

    async def aembed_documents(self, texts: list[str]) -> list[list[float]]:
        """Of LangGraph's searches: questions."""
        return [await self.question(text) for text in texts]

    async def aembed_query(self, text: str) -> list[float]:
        """See `question`."""
        return await self.question(text)

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """The store is asynchronous.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError("use aembed_documents")

    def embed_query(self, text: str) -> list[float]:
        """The store is asynchronous.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError("use aembed_query")

    async def _embed(
        self, texts: Sequence[str], kind: EmbeddingKind, seconds: float
    ) -> list[list[float]]:
        await self.name()
        if self._embedder is None:
            raise ModelUnavailableError("There is no embedding model.")
        if self._failed and time.monotonic() < self._failed[0] + _REST_SECONDS:
            raise self._failed[1]
        try:
            async with asyncio.timeout(seconds):
                vectors = await self._embedder.embed(texts, kind)
        except (ReplanError, TimeoutError) as error:
            late = f"The embedding model {self._embedder.name} did not answer in {seconds:g} s."
            told = error if isinstance(error, ReplanError) else ModelUnavailableError(late)
            self._failed = time.monotonic(), told
            raise told from error
        self._failed = None
        return [list(vector) for vector in vectors]
