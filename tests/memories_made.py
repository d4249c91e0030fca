"""Memories for tests, and a stand-in for a model whose vectors are known beforehand."""

import hashlib
import re
from collections.abc import Sequence

from replan.memory.owner import Owner
from replan.state.errors import ModelUnavailableError
from replan.state.memory import Memory

OWNER = Owner("ann", "sales")


class ByWords:
    """A stand-in for a model: texts are near to each other as far as they share words.

    Words that `alike` names by pairs count as one: what is meant alike, and written otherwise.
    """

    def __init__(
        self, name: str = "by words", dims: int = 32, alike: dict[str, str] | None = None
    ) -> None:
        self.name = name
        self.dims = dims
        self.alike = alike or {}
        self.given: list[str] = []
        self.gone = False

    async def embed(self, texts: Sequence[str], kind: str) -> list[list[float]]:
        if self.gone:
            raise ModelUnavailableError("The embedding server cannot be reached.", "Start it.")
        self.given += [f"{kind}: {text}" for text in texts]
        return [self.vector(text) for text in texts]

    def vector(self, text: str) -> list[float]:
        total = [1e-6] * self.dims
        for word in re.findall(r"[a-z0-9]+|[\u4e00-\u9fff]", text.lower()):
            seed = hashlib.shake_256(self.alike.get(word, word).encode()).digest(self.dims)
            total = [
                sum(pair) for pair in zip(total, (one / 127.5 - 1 for one in seed), strict=True)
            ]
        length = sum(one * one for one in total) ** 0.5
        return [one / length for one in total]


def fact(text: str, **more: object) -> Memory:
    return Memory.model_validate({"kind": "fact", "text": text, **more})


def experience(text: str, outcome: str = "done", **more: object) -> Memory:
    return Memory.model_validate({"kind": "experience", "text": text, "outcome": outcome, **more})
