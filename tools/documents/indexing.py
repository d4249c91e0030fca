"""Brings a folder's index up to date: only what changed is parsed, what is gone is forgotten."""

import asyncio
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from replan.state.embedding import Embedder
from replan.storage.document_index import Chunk, DocumentIndex
from replan.tools.documents.chunks import Passage, passages, words
from replan.tools.documents.parser_process import KINDS, ParserProcess
from replan.tools.protocol import ToolError

# What is being done, and the fraction of it.
Progress = Callable[[str, float], None]

MOST_BYTES = 50_000_000
MOST_FILES = 20_000
_EMBEDDED_AT_ONCE = 16  # some seconds of work: what is cut off by time is lost
_FORM = "1"  # changes when what is kept of a document does


@dataclass(frozen=True)
class Refreshed:
    """What a refresh did: documents indexed anew, forgotten, and not yet looked at."""

    indexed: int
    forgotten: int
    left: int


def made_by(embedder: Embedder | None) -> str:
    """The name of what makes an index, the embedding model included."""
    return f"form {_FORM}, {embedder.name if embedder else 'no embeddings'}"


def found_files(folder: Path) -> dict[str, str]:
    """The documents of a folder, hidden ones left out, by path; each with its stamp.

    The stamp is size and time of change: a file that keeps both is taken to be the same.

    Raises:
        ToolError: the folder cannot be read, or holds too many documents.
    """
    found: dict[str, str] = {}

    def give_up(error: OSError) -> None:
        if error.filename == str(folder):
            raise ToolError(f"the documents folder cannot be read: {error.strerror}.")

    # Links to folders are not followed, and links to files are not read: they lead outside.
    for root, folders, files in os.walk(folder, onerror=give_up):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            path = Path(root, name)
            if name.startswith(".") or path.suffix.lower() not in KINDS or path.is_symlink():
                continue
            try:
                state = path.stat()
            except OSError:
                continue  # removed in this moment
            shown = _storable(path.relative_to(folder).as_posix())
            found[shown] = f"{state.st_size} {state.st_mtime_ns}"
            if len(found) > MOST_FILES:
                raise ToolError(f"the documents folder holds more than {MOST_FILES:,} documents.")
    return found


async def refresh(
    index: DocumentIndex,
    folder: Path,
    embedder: Embedder | None,
    seconds: float,
    progress: Progress | None = None,
) -> Refreshed:
    """Index what is new or changed, forget what is gone; stop after `seconds`.

    Each document is kept as soon as it is done: the next refresh goes on where this one stopped.

    Raises:
        ToolError: the folder cannot be read.
        ReplanError: the embedding model cannot be used.
    """
    deadline = time.monotonic() + seconds
    there, known = await asyncio.to_thread(found_files, folder), await index.stamps()
    gone = [path for path in known if path not in there]
    await index.remove(gone)
    changed = [path for path, stamp in there.items() if known.get(path) != stamp]
    done, waiting = 0, 0
    read: list[_Read] = []
    async with ParserProcess() as parser:
        for path in changed:
            if time.monotonic() > deadline:
                break
            if progress:
                progress(f"indexing {path}", done / len(changed))
            read.append(await _read(parser, folder, path, there[path]))
            waiting += len(read[-1].passages)
            done += 1
            if waiting >= _EMBEDDED_AT_ONCE:
                await _keep(index, read, embedder)
                read, waiting = [], 0
    await _keep(index, read, embedder)
    return Refreshed(done, len(gone), len(changed) - done)


@dataclass(frozen=True)
class _Read:
    """A document that was read; without passages there is a problem with it."""

    path: str
    stamp: str
    passages: list[Passage]
    problem: str = ""


async def _read(parser: ParserProcess, folder: Path, path: str, stamp: str) -> _Read:
    size = int(stamp.partition(" ")[0])
    if size > MOST_BYTES:
        most = f"{MOST_BYTES / 1e6:g} MB are the most"
        return _Read(path, stamp, [], f"it is too long ({size / 1e6:,.0f} MB; {most})")
    parsed = await parser.parse(folder / path, KINDS[Path(path).suffix.lower()])
    cut = await asyncio.to_thread(lambda: list(passages(parsed.parts)))
    return _Read(path, stamp, cut, parsed.problem)


async def _keep(index: DocumentIndex, read: list[_Read], embedder: Embedder | None) -> None:
    """Write documents to the index; the chunks of short ones get their vectors together."""
    # The names of file and folders say what a chunk from the middle is about. Behind the text they
    # do better than before it: 18 of 20 questions found their document first, not 15.
    texts = [f"{one.text} ({_name(of.path)})" for of in read for one in of.passages]
    meanings = iter(await _meanings(texts, embedder))
    for document in read:
        name = _name(document.path)
        chunks = [
            Chunk(one.place, _storable(one.text), words(f"{name}\n{one.text}"), next(meanings))
            for one in document.passages
        ]
        await index.replace(document.path, document.stamp, chunks, document.problem)


async def _meanings(
    texts: list[str], embedder: Embedder | None
) -> Sequence[Sequence[float] | None]:
    if embedder is None:
        return [None] * len(texts)
    meanings: list[Sequence[float]] = []
    for start in range(0, len(texts), _EMBEDDED_AT_ONCE):
        meanings += await embedder.embed(texts[start : start + _EMBEDDED_AT_ONCE], "passage")
    return meanings


def _name(path: str) -> str:
    return _storable(path).rpartition(".")[0].replace("/", " ").replace("_", " ")


def _storable(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")
