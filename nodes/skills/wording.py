"""Two goals told in the same words but for names: which name stands for which.

What may differ is what a script can take over by putting one name for the other: paths, endings,
numbers, and words that the files themselves use for their columns and values. A goal that differs
in any other word ("total", "average") is another goal, and no script is carried over to it.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Literal

TokenKind = Literal["path", "ending", "number", "word", "sign"]

_PATH = (
    r"(?:[A-Za-z0-9_-]+/)*[A-Za-z0-9_-][A-Za-z0-9_.-]*\.[A-Za-z][A-Za-z0-9]{0,5}(?![A-Za-z0-9_])"
)
_TOKEN = re.compile(
    rf"(?P<path>{_PATH})|(?P<ending>\.[a-z][a-z0-9]{{1,5}}\b)"
    r"|(?P<number>\d+(?:\.\d+)?)(?:st|nd|rd|th)?(?![A-Za-z0-9_])|(?P<word>[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<sign>\S)"
)


@dataclass(frozen=True)
class Names:
    """What stands for what, by kind of token; empty for two goals in the same words."""

    path: dict[str, str] = field(default_factory=dict)
    ending: dict[str, str] = field(default_factory=dict)
    number: dict[str, str] = field(default_factory=dict)
    word: dict[str, str] = field(default_factory=dict)

    def all(self) -> dict[str, str]:
        """Of all kinds."""
        return {**self.path, **self.ending, **self.number, **self.word}


def tokens(text: str) -> list[tuple[TokenKind, str]]:
    """The text's paths, endings, numbers, words and single signs; Chinese is taken by the sign."""
    found: list[tuple[TokenKind, str]] = []
    for match in _TOKEN.finditer(text):
        kind: TokenKind = match.lastgroup  # type: ignore[assignment]
        found.append((kind, match.group(kind)))
    return found


def aligned(then: str, now: str, words: Collection[tuple[str, str]] = ()) -> Names | None:
    """What stands for what in two texts.

    Args:
        then: the earlier text.
        now: the later one.
        words: which word may stand for which other one.

    Returns:
        None when the texts differ in more than names, or a name stands for two.
    """
    old, new = tokens(then), tokens(now)
    if len(old) != len(new):
        return None
    names = Names()
    for (kind, before), (other, after) in zip(old, new, strict=True):
        if kind != other:
            return None
        if kind == "sign":
            if before != after:
                return None
            continue
        if kind == "word" and before != after and (before, after) not in words:
            return None
        if getattr(names, kind).setdefault(before, after) != after:
            return None
    return _changed(names)


def _changed(names: Names) -> Names | None:
    """Only what differs; None when two names would become one."""
    every = names.all()
    if len(set(every.values())) != len(every):
        return None
    kinds = ("path", "ending", "number", "word")
    return Names(
        **{
            kind: {old: new for old, new in getattr(names, kind).items() if old != new}
            for kind in kinds
        }
    )


def renamed(text: str, names: Names) -> str:
    """The text with each name replaced, all at once: paths and numbers where they stand alone,
    words where they are quoted or in plain text, and modules in the imports of Python code.
    """
    swaps = {**names.path, **names.ending, **names.number}
    if swaps:
        either = "|".join(re.escape(name) for name in sorted(swaps, key=len, reverse=True))
        alone = rf"(?<![A-Za-z0-9_])(?:{either})(?![A-Za-z0-9_])"
        text = re.sub(alone, lambda match: swaps[match.group()], text)
    if names.word:
        either = "|".join(re.escape(name) for name in sorted(names.word, key=len, reverse=True))
        # In code only within quotes: a column called "count" is no reason to rename a method.
        quoted = rf"(?<=['\"])(?:{either})(?=['\"])"
        text = re.sub(quoted, lambda match: names.word[match.group()], text)
    modules = {
        old[:-3]: new[:-3]
        for old, new in names.path.items()
        if old.endswith(".py") and new.endswith(".py")
    }
    for old, new in modules.items():
        text = re.sub(rf"(?m)^(\s*(?:from|import)\s+){re.escape(old)}\b", rf"\g<1>{new}", text)
    return text


def reworded(text: str, names: Names) -> str:
    """A title or description with each name replaced, words too."""
    swaps = names.all()

    def swapped(match: re.Match[str]) -> str:
        name = match.group(match.lastgroup or 0)
        return swaps.get(name, name) + match.group()[len(name) :]

    return _TOKEN.sub(swapped, text)
