"""Cuts documents into chunks that overlap, and texts into words that can be searched for."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from replan.tools.documents.parser_process import Part

_WIDTH = 900  # about 200 words, or 450 Chinese characters
_OVERLAP = 150
_CUTS = ["\n\n", "\n", "。", "！", "？", ". ", "；", "，", " ", ""]
_LONGEST_WORD = 60
_HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u3040-\u30ff"
_WORD = re.compile(rf"(?P<han>[{_HAN}]+)|[^\W_{_HAN}]+")
_WIDE = re.compile(rf"[{_HAN}\uac00-\ud7af\uff00-\uffef]")


@dataclass(frozen=True)
class Passage:
    """A chunk of a document, and where it stands, such as "page 3" or "lines 12-30"."""

    place: str
    text: str


def passages(parts: tuple[Part, ...]) -> Iterator[Passage]:
    """The chunks of a document, in order; each repeats a little of the one before."""
    from langchain_text_splitters import RecursiveCharacterTextSplitter

    splitter = RecursiveCharacterTextSplitter(
        separators=_CUTS,
        keep_separator="end",
        chunk_size=_WIDTH,
        chunk_overlap=_OVERLAP,
        length_function=width,
        add_start_index=True,
    )
    for part in parts:
        line, counted = 1, 0
        for found in splitter.create_documents([part.text]):
            start = max(int(found.metadata["start_index"]), counted)
            line += part.text.count("\n", counted, start)
            counted = start
            last = line + found.page_content.count("\n")
            yield Passage(part.place or _lines(line, last), found.page_content)


def _lines(first: int, last: int) -> str:
    return f"line {first}" if first == last else f"lines {first}-{last}"


def width(text: str) -> int:
    """How long a text is, a Chinese, Japanese or Korean character counting as two."""
    return len(text) + len(_WIDE.findall(text))


def words(text: str) -> list[str]:
    """The words to search by, each once: lower case; Chinese, which has no blanks, in pairs."""
    found: dict[str, None] = {}
    for match in _WORD.finditer(unicodedata.normalize("NFKC", text).lower()):
        run = match[0]
        if not match["han"] or len(run) == 1:
            found[run[:_LONGEST_WORD]] = None
        else:
            found.update((run[at : at + 2], None) for at in range(len(run) - 1))
    return list(found)
