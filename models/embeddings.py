"""Which embedding model is used: a server's when one is named, otherwise the embedded one."""

import asyncio
import threading
from collections.abc import Sequence
from typing import Any

from replan.models.e5 import find_weights
from replan.models.embedded_pair import DIMENSIONS, NAME
from replan.models.minilm import find_minilm
from replan.state.embedding import Embedder, EmbeddingKind, Vectors
from replan.state.errors import ModelUnavailableError, ReplanError
from replan.state.settings import settings

_SECONDS = 60.0


def choose_embedder() -> Embedder | None:
    """The embedder by the settings: nothing is asked or loaded. None when there is none.

    `OPENAI_EMBEDDING_MODEL` names a model of OpenAI or of the server at `OPENAI_BASE_URL`: it
    has to be named, since texts of the user's own are sent there.
    """
    now = settings()
    if now.openai_embedding_model and (now.openai_api_key or now.openai_base_url):
        return ServedEmbedder(now.openai_embedding_model, now.openai_base_url)
    try:
        find_weights()
        find_minilm()
    except ReplanError:
        return None
    return EmbeddedEmbedder()


class EmbeddedEmbedder:
    """multilingual E5 and MiniLM on the CPU; loaded once a process, when it is first asked."""

    name = NAME
    dimensions = DIMENSIONS
    _loading = threading.Lock()
    _model: Any = None

    async def embed(self, texts: Sequence[str], kind: EmbeddingKind) -> Vectors:
        """See `Embedder`."""
        return await asyncio.to_thread(self._embed, list(texts), kind)

    def _embed(self, texts: list[str], kind: EmbeddingKind) -> Vectors:
        # One at a time: two would share the same cores, and take the memory of two.
        with EmbeddedEmbedder._loading:
            if EmbeddedEmbedder._model is None:
                from replan.models.embedded_pair import EmbeddedPair

                EmbeddedEmbedder._model = EmbeddedPair(find_weights(), find_minilm())
            rows: list[list[float]] = EmbeddedEmbedder._model.embed(texts, kind).tolist()
            return rows


class ServedEmbedder:
    """A model of OpenAI, or of a server that speaks its protocol."""

    def __init__(self, model: str, base_url: str | None = None) -> None:
        self._model = model
        self._base_url = base_url
        self.name = f"{model} at {base_url or 'OpenAI'}"

    async def embed(self, texts: Sequence[str], kind: EmbeddingKind) -> Vectors:
        """See `Embedder`. The protocol knows no kinds: questions and passages are sent alike."""
        import openai

        client = await asyncio.to_thread(self._client)
        try:
            async with client, asyncio.timeout(_SECONDS):
                answer = await client.embeddings.create(
                    model=self._model, input=list(texts), encoding_format="float"
                )
            rows = [item.embedding for item in sorted(answer.data, key=lambda item: item.index)]
        except (openai.OpenAIError, TimeoutError) as error:
            raise ModelUnavailableError(
                f"The embedding model {self._model} cannot be used: {_reason(error)}.",
                "Check OPENAI_EMBEDDING_MODEL, OPENAI_BASE_URL and OPENAI_API_KEY.",
            ) from error
        except (AttributeError, TypeError, ValueError) as error:
            raise self._odd() from error
        if len(rows) != len(texts) or len({len(row) for row in rows}) != 1 or not rows[0]:
            raise self._odd()
        return [_of_length_one(row) for row in rows]

    def _odd(self) -> ModelUnavailableError:
        return ModelUnavailableError(
            f"The server of {self._model} answered with something else than embeddings.",
            "Check that OPENAI_EMBEDDING_MODEL names an embedding model.",
        )

    def _client(self) -> Any:
        """In a thread: the import and the certificates are read from disk."""
        import openai

        key = settings().openai_api_key
        return openai.AsyncOpenAI(
            api_key=key.get_secret_value() if key else "not-needed",
            base_url=self._base_url,
            timeout=_SECONDS,
            max_retries=2,
        )


def _reason(error: Exception) -> str:
    import openai

    if isinstance(error, TimeoutError | openai.APITimeoutError):
        return f"no answer within {_SECONDS:g} s"
    if isinstance(error, openai.APIStatusError):
        return f"HTTP {error.status_code}"
    if isinstance(error, openai.APIConnectionError):
        return "the server cannot be reached"
    return type(error).__name__


def _of_length_one(row: Sequence[float]) -> list[float]:
    length = sum(value * value for value in row) ** 0.5 or 1.0
    return [value / length for value in row]
