"""Memories made from a seed: their vectors, their texts, and whose they are."""

import random
from collections.abc import Sequence

import numpy as np

from replan.memory.owner import Owner

DIMS = 384
# Of the largest owners; the rest have 100 each.
SHARES = (0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.001)
SMALL = 100
MODEL = "made from a seed"


class Seeded:
    """Stands in for the model that made the vectors."""

    name = MODEL

    async def embed(self, texts: Sequence[str], kind: str) -> list[list[float]]:
        """Any vector: it is asked for its length alone."""
        return [[1.0, *[0.0] * (DIMS - 1)] for _ in texts]


class Cloud:
    """Vectors in clusters of clusters, with a direction common to all: two at random have a cosine
    of about 0.7, two of a cluster about 0.9.
    """

    def __init__(self, seed: int = 7, dims: int = DIMS) -> None:
        self.random = np.random.default_rng(seed)
        self.dims = dims
        self.common = self._directions(1)[0]
        self.topics = self._directions(200)
        self.themes = self._directions(5_000)
        # Noise has few strong directions and many weak ones.
        self.spectrum = np.sqrt(1 / np.arange(1, dims + 1) ** 0.7)
        self.spectrum *= np.sqrt(dims) / np.linalg.norm(self.spectrum)

    def _directions(self, count: int) -> np.ndarray:
        rows = self.random.standard_normal((count, self.dims))
        return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))

    def vectors(self, count: int) -> np.ndarray:
        """That many, of length 1."""
        theme = self.random.integers(0, len(self.themes), count)
        noise = self.random.standard_normal((count, self.dims)) * self.spectrum / np.sqrt(self.dims)
        rows = self.common + 0.4 * self.topics[theme % len(self.topics)]
        rows = rows + 0.35 * self.themes[theme] + 0.35 * noise
        return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)

    def near(self, vector: np.ndarray) -> np.ndarray:
        """A question about what a vector stands for."""
        noise = self.random.standard_normal(self.dims) * self.spectrum / np.sqrt(self.dims)
        row = vector + 0.2 * noise
        return np.asarray(row / np.linalg.norm(row))


class Texts:
    """Sentences of a vocabulary whose words are as unequally common as those of a language."""

    def __init__(self, seed: int = 7) -> None:
        self.random = random.Random(seed)
        letters = "bcdfglmnprstvz"
        self.words = [
            "".join(self.random.choice(letters) + self.random.choice("aeiou") for _ in range(3))
            for _ in range(20_000)
        ]
        self.weights = [1 / (rank + 2) for rank in range(len(self.words))]
        self.sums = list(np.cumsum(self.weights))

    def text(self, words: int = 14) -> str:
        """One of them."""
        return " ".join(self.random.choices(self.words, cum_weights=self.sums, k=words))

    def question(self, text: str) -> str:
        """Some words of a text among others."""
        return " ".join([*self.random.sample(text.split(), 4), *self.text(5).split()])


def owners_of(count: int) -> list[str]:
    """The namespace of each memory, in random order."""
    prefixes = []
    for share in SHARES:
        prefixes += [prefix_of(int(count * share))] * int(count * share)
    for number in range((count - len(prefixes)) // SMALL + 1):
        owner = Owner(f"small {number}")
        prefixes += owner.prefixes(["fact"]) * min(SMALL, count - len(prefixes))
    random.Random(7).shuffle(prefixes)
    return prefixes


def prefix_of(size: int) -> str:
    """The namespace of the owner of so many memories."""
    return Owner(f"has {size}").prefixes(["fact"])[0]
