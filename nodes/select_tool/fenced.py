"""Takes the one thing asked for out of a model's answer."""

import re
from collections.abc import Collection
from pathlib import PurePath

# Prose may well speak of files in the way in which they are shown.
PROSE = (".md", ".rst", ".txt")
_BLOCK = re.compile(r"^```[^\n`]*\n(.*?)^```[ \t]*$", re.MULTILINE | re.DOTALL)
_OPEN = re.compile(r"^```[^\n`]*\n(.*)", re.MULTILINE | re.DOTALL)


def fenced(answer: str, nested: bool = False) -> str:
    """The content of the fenced block.

    Args:
        answer: the model's text. Without a fence it is the content itself; with one that never
            closes (a truncated answer), all that follows it.
        nested: the content may hold fences of its own (Markdown): everything between the first
            and the last fence.
    """
    text = answer.strip()
    if nested and text.startswith("```") and text.endswith("```") and text.count("```") > 2:
        return text.split("\n", 1)[1].rsplit("```", 1)[0].rstrip() + "\n"
    blocks = _BLOCK.findall(answer)
    if blocks:
        return str(max(blocks, key=len))
    opened = _OPEN.search(answer)
    return opened.group(1) if opened else text + "\n"


def without_own_name(text: str, path: str) -> str:
    """The text of a file without a first line that is the file's own name and nothing else: no part
    of it, but what a small model writes above it.
    """
    first, _, rest = text.lstrip("\n").partition("\n")
    name = first.strip().strip("`*: ")
    its_own = bool(path) and name in (path, PurePath(path).name)
    return rest.lstrip("\n") if its_own and rest.strip() else text


def without_other_files(text: str, path: str, others: Collection[str]) -> str:
    """The text up to where another file begins in the way in which files are shown.

    Args:
        text: what was given for one file.
        path: of that file.
        others: of the files that are known.
    """
    kept: list[str] = []
    for line in text.splitlines(keepends=True):
        name = line.strip().removesuffix(" holds:")
        if kept and name != line.strip() and name != path and name in others:
            return "".join(kept).rstrip() + "\n"
        kept.append(line)
    return text
