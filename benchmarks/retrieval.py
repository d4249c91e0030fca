"""How often the right memory is found first, how fast, and from which nearness two say the same.

    .venv/bin/python benchmarks/retrieval.py > retrieval.json

240 memories with near-duplicates and negations, 280 questions in English and Chinese
(tests/retrieval_set.py), asked of memories in a database of their own, by each model alone and by
both, by words alone, and by all joined. Each model in a process of its own: seconds to load,
memory, milliseconds a question, by the clock and of the processor. Then the two thresholds: the
nearness from which memories say the same (`SAME_FROM`) and that under which one is noise
(`least_similar`).
"""

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import time
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import psutil
from retrieval_set import Answered, ask, pairs, questions, text_of, told, unrelated

from replan.memory.likeness import SAME_FROM, say_the_same
from replan.memory.owner import Owner
from replan.memory.postgres import PostgresMemories
from replan.models import e5, minilm
from replan.models.embedded_pair import NAME, EmbeddedPair
from replan.state.embedding import Embedder, EmbeddingKind, Vectors
from replan.state.memory import Memory
from replan.storage.database import Database, open_database
from replan.storage.persistence import open_persistence

MODELS = ("e5", "minilm", "both")
HALVES = ("fitting", "held-out")
STEPS = [round(0.05 * step, 2) for step in range(1, 20)]


class Alone:
    """A model as the memories ask it; `both` is what `replan` uses."""

    def __init__(self, which: str) -> None:
        self.name = which
        kinds: dict[str, Callable[[], Any]] = {
            "e5": lambda: e5.E5(e5.find_weights()),
            "minilm": lambda: minilm.MiniLM(minilm.find_minilm()),
            "both": lambda: EmbeddedPair(e5.find_weights(), minilm.find_minilm()),
        }
        self._model = kinds[which]()

    def now(self, texts: Sequence[str], kind: EmbeddingKind) -> Any:
        """The vectors."""
        given = list(texts)
        return self._model.embed(given) if self.name == "minilm" else self._model.embed(given, kind)

    async def embed(self, texts: Sequence[str], kind: EmbeddingKind) -> Vectors:
        """See `Embedder`."""
        rows: list[list[float]] = (await asyncio.to_thread(self.now, texts, kind)).tolist()
        return rows


def main() -> None:
    """Print everything as one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cost-of", choices=MODELS, help="of one model, in this process")
    chosen = parser.parse_args().cost_of
    if chosen:
        print(json.dumps(cost(chosen)))
        return
    print(json.dumps(asyncio.run(measure()), indent=2, ensure_ascii=False))


def cost(which: str) -> dict[str, float]:
    """Of loading a model, and of a question alone."""
    before = psutil.Process().memory_info().rss
    began = time.perf_counter()
    model = Alone(which)
    loading = time.perf_counter() - began
    plain = [one.text for one in questions() if one.level == "plain"]
    model.now(plain[:1], "query")
    return {
        "load_seconds": round(loading, 2),
        "megabytes": round((psutil.Process().memory_info().rss - before) / 1e6),
        **percentiles([timed(partial(model.now, [text], "query")) for text in plain]),
        "processor_ms": round(1000 * processor_seconds(model, plain) / len(plain), 1),
    }


async def measure() -> dict[str, Any]:
    """Rates, costs, thresholds."""
    said: dict[str, Any] = {"model": NAME, "memories": len(told()), "questions": len(questions())}
    said["cost"] = {which: cost_apart(which) for which in MODELS}
    said["first"] = {"words alone": await rates(None)}
    for which in MODELS:
        model = Alone(which)
        said["first"][f"{which}, vectors alone"] = by_vectors(model)
        said["first"][f"{which}, words and vectors"] = await rates(model)
        if which == "both":
            said["recall"] = await recall_times(model)
            said["same_from"] = {"chosen": SAME_FROM, "curve": sameness(model)}
            said["least_similar"] = noise(model)
    return said


def cost_apart(which: str) -> dict[str, float]:
    """The same in a new process."""
    command = [sys.executable, __file__, "--cost-of", which]
    told_by = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, float] = json.loads(told_by.stdout)
    return found


async def rates(embedder: Embedder | None) -> dict[str, str]:
    """How many of the questions find their memory first, as people recall it."""
    async with memories_of(embedder) as memories:
        return counted(await ask(memories, questions()))


def by_vectors(model: Alone) -> dict[str, str]:
    """The same by the nearest vector, without database or words."""
    rows = model.now([one.text for one in told()], "passage")
    asked = model.now([one.text for one in questions()], "query")
    best = (asked @ rows.T).argmax(1)
    return counted(
        [
            Answered(one, [told()[at].text])
            for one, at in zip(questions(), best.tolist(), strict=True)
        ]
    )


def counted(answered: Sequence[Answered]) -> dict[str, str]:
    """By level, language and half: right of asked."""
    said: dict[str, list[bool]] = {}
    for one in answered:
        asked = one.question
        said.setdefault(f"{asked.level} {asked.language} {asked.half}", []).append(one.right)
    return {key: f"{sum(right)} of {len(right)}" for key, right in said.items()}


async def recall_times(model: Alone) -> dict[str, float]:
    """Milliseconds of a recall, its embedding included; every question is a new one."""
    taken = []
    async with memories_of(model) as memories:
        await memories.recall("the first one waits for what is made once")
        for one in questions():
            began = time.perf_counter()
            await memories.recall(one.text)
            taken.append(time.perf_counter() - began)
    return percentiles(taken)


def sameness(model: Alone) -> list[dict[str, Any]]:
    """By threshold: how many pairs are taken for the same, by nearness and by words too."""
    near = nearness(model, [(pair.one, pair.other) for pair in pairs()])
    curve = []
    for least in [0.8, 0.85, 0.88, *(round(0.01 * step, 2) for step in range(90, 99))]:
        said: dict[str, Any] = {"from": least}
        for same in (True, False):
            for half in HALVES:
                of_both = [
                    (pair, cosine)
                    for pair, cosine in zip(pairs(), near, strict=True)
                    if pair.same is same and pair.half == half
                ]
                nearly = [(pair, cosine) for pair, cosine in of_both if cosine >= least]
                merged = sum(
                    say_the_same(pair.one, pair.other, cosine, least) for pair, cosine in nearly
                )
                what = f"{'the same' if same else 'different'}, {half}"
                said[what] = f"near {len(nearly)}, taken for the same {merged}, of {len(of_both)}"
        curve.append(said)
    return curve


def noise(model: Alone) -> list[dict[str, Any]]:
    """By threshold: what is lost of the answers, and how much of what has nothing to do with a
    goal is left out of its five nearest.
    """
    import numpy as np

    fitting = [one for one in questions() if one.half == "fitting"]
    answers = model.now([text_of(one.right) for one in fitting], "passage")
    to_answers = (model.now([one.text for one in fitting], "query") * answers).sum(1)
    rows = model.now([one.text for one in told()], "passage")
    others = model.now(unrelated(), "query") @ rows.T
    nearest = np.sort(others, axis=1)[:, -5:]
    curve = []
    for least in STEPS:
        kept: dict[str, list[bool]] = {}
        for one, cosine in zip(fitting, to_answers.tolist(), strict=True):
            kept.setdefault(f"{one.level} {one.language}", []).append(cosine >= least)
        curve.append(
            {
                "from": least,
                "answers_kept": {key: round(statistics.mean(one), 3) for key, one in kept.items()},
                "unrelated_left_out": round(float((nearest < least).mean()), 3),
            }
        )
    return curve


def nearness(model: Alone, texts: Sequence[tuple[str, str]]) -> list[float]:
    """The cosine of each two passages."""
    ones = model.now([one for one, _ in texts], "passage")
    others = model.now([other for _, other in texts], "passage")
    cosines: list[float] = (ones * others).sum(1).tolist()
    return cosines


@asynccontextmanager
async def memories_of(embedder: Embedder | None) -> AsyncIterator[PostgresMemories]:
    """The memories, kept in a database that goes at the end."""
    import psycopg

    server = await open_database()
    name = f"retrieval_{uuid.uuid4().hex[:8]}"
    url = server.url.replace("@/postgres", f"@/{name}")
    async with await psycopg.AsyncConnection.connect(server.url, autocommit=True) as connection:
        await connection.execute(f'CREATE DATABASE "{name}"'.encode())
        try:
            own = Database(url, "url", server.server_version, server.vector_version)
            async with open_persistence(own, lambda: embedder) as opened:
                memories = PostgresMemories(opened.store, Owner())
                # Not kept, but taken in: what says the same for one model is merged by its nearness
                # otherwise.
                await memories.take_in_all([Memory(kind=one.kind, text=one.text) for one in told()])
                if embedder is not None:
                    await memories.catch_up()
                yield memories
        finally:
            await connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


def processor_seconds(model: Alone, texts: Sequence[str]) -> float:
    """Of all threads together: what it costs where others use the cores too."""
    began = time.process_time()
    for text in texts:
        model.now([text], "query")
    return time.process_time() - began


def timed(call: Callable[[], object]) -> float:
    """Seconds of a call."""
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def percentiles(seconds: Sequence[float]) -> dict[str, float]:
    """The median and the 95th, in milliseconds."""
    cut = statistics.quantiles(seconds, n=20)
    return {"p50_ms": round(1000 * cut[9], 1), "p95_ms": round(1000 * cut[18], 1)}


if __name__ == "__main__":
    main()
