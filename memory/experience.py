"""Experiences of runs in LangGraph's store.

Simple on purpose for now: similarity is the share of common words. The store has no vector index
yet; with one, `similar_experiences` becomes a search by meaning, and its callers stay as they are.
"""

import re
from dataclasses import asdict, dataclass

from langgraph.store.base import BaseStore

NAMESPACE = ("replan", "experience")
_LATEST = 200
_LEAST_SIMILAR = 0.3


@dataclass(frozen=True)
class Experience:
    """How a run with a goal ended, and the lesson of it."""

    goal: str
    status: str
    lesson: str = ""

    def in_words(self) -> str:
        """One line for a prompt, at most about 400 characters."""
        lesson = f" Lesson: {self.lesson[:200]}" if self.lesson else ""
        return f"'{self.goal[:150]}' ended {self.status}.{lesson}"


async def keep_experience(store: BaseStore, thread_id: str, experience: Experience) -> None:
    """Write the experience of a thread, in place of an earlier one of the same thread."""
    await store.aput(NAMESPACE, thread_id, asdict(experience))


async def similar_experiences(store: BaseStore, goal: str, most: int = 2) -> list[Experience]:
    """The experiences that hold a lesson and whose goals share most words with `goal`."""
    words = _words(goal)
    ranked: list[tuple[float, Experience]] = []
    for item in await store.asearch(NAMESPACE, limit=_LATEST):
        experience = Experience(**item.value)
        theirs = _words(experience.goal)
        alike = len(words & theirs) / max(1, len(words | theirs))
        if alike >= _LEAST_SIMILAR and experience.lesson:
            ranked.append((alike, experience))
    ranked.sort(key=lambda pair: pair[0], reverse=True)
    return [experience for _, experience in ranked[:most]]


def _words(text: str) -> set[str]:
    """Lower-case words; Chinese, written without spaces, by single characters."""
    return set(re.findall(r"[a-z0-9_.]+|[\u4e00-\u9fff]", text.lower()))
