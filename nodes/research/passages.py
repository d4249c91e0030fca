"""Cuts sources into passages of a sentence or two, of which a claim can rest on one."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from replan.state.task import Source
from replan.tools.documents.chunks import width, words

MOST = 14
_WIDTH = 320
_LEAST = 12
_SENTENCE = re.compile(r".+?(?:[.!?](?=\s|$)|[。！？；]|\n\s*\n|\Z)", re.DOTALL)


@dataclass(frozen=True)
class Passage:
    """A stretch of a source's text, as it stands there."""

    source: Source
    text: str


def passages(sources: Sequence[Source], question: str, most: int = MOST) -> list[Passage]:
    """The passages that say most about a question, those of one source together.

    Args:
        sources: best first.
        question: what is asked.
        most: how many are wanted.
    """
    every = [Passage(source, text) for source in sources for text in _cut(source.text)]
    different = list({_same(one.text): one for one in every}.values())
    asked = set(words(question))
    ranked = sorted(
        enumerate(different),
        # By the words shared; where that says nothing, as the search ranked the sources.
        key=lambda one: (-len(asked & set(words(one[1].text))), one[0]),
    )
    return [one for _, one in sorted(ranked[:most], key=lambda one: one[0])]


def _cut(text: str) -> list[str]:
    """Whole sentences, joined while they are short, cut where one is too long."""
    found: list[str] = []
    for match in _SENTENCE.finditer(text):
        sentence = match[0].strip()
        if not sentence:
            continue
        joined = f"{found[-1]} {sentence}" if found else sentence
        if found and width(found[-1]) < _WIDTH / 3 and joined in _one_line(text):
            found[-1] = joined
        else:
            found.append(sentence)
    short = [part for one in found for part in _shorter(_one_line(one))]
    return [one for one in short if width(one) >= _LEAST]


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _shorter(text: str) -> list[str]:
    if width(text) <= 2 * _WIDTH:
        return [text]
    # No sentence: a table, or a text without full stops.
    step = _WIDTH if width(text) < 1.5 * len(text) else _WIDTH // 2
    return [text[at : at + step] for at in range(0, len(text), step)]


def _same(text: str) -> str:
    return "".join(text.split()).casefold()
