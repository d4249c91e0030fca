"""`replan memory export` and `import`: memories as a file, or through a pipe."""

import asyncio
import os
import secrets
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING

from replan.cli.memory_open import Names, caught_up, kinds_of, opened_memories, owner_of
from replan.cli.printable import json_line, put, visible
from replan.cli.progress import Progress
from replan.cli.settle import INTERRUPTED, at_the_edge
from replan.memory.memory_file import MemoryReader, MemoryWriter
from replan.state.errors import ExportError, UsageError
from replan.state.memory import Memory, MemoryKind

if TYPE_CHECKING:
    from replan.memory.intake import Taken

PIPE = "-"
_BATCH = 500


def export_memories(
    names: Names, file: str, kinds: Sequence[str], force: bool, as_json: bool
) -> int:
    """Write memories to a file, or to standard output. Returns the exit code.

    Args:
        names: user and project.
        file: where to; `-` for standard output.
        kinds: which; none for all.
        force: whether a file that is there may be replaced.
        as_json: whether to print one JSON object.
    """

    def command() -> int:
        chosen = kinds_of(kinds)
        if file == PIPE:
            if as_json:
                raise UsageError("--json and - both want standard output.", "Leave one out.")
            with suppress(BrokenPipeError):  # whoever reads has read enough, as `head` has
                asyncio.run(_write(names, chosen, sys.stdout.buffer))
            _close_output()
            return 0
        path = Path(file).expanduser().absolute()
        with _put_in_place(path, force) as part:
            count = asyncio.run(_write(names, chosen, part))
        done = {"file": str(path), "memories": count, "bytes": path.stat().st_size}
        said = f"{visible(str(path))}: {count} memories, {done['bytes']:,} bytes"
        put(json_line(done) if as_json else said)
        return 0

    return at_the_edge(command)


def import_memories(names: Names, file: str, as_json: bool) -> int:
    """Bring the memories of a file in: all, or none. Returns the exit code.

    Args:
        names: the user and project that have them from then on.
        file: from `export_memories`; `-` for standard input.
        as_json: whether to print one JSON object.
    """

    def command() -> int:
        with _opened(file) as (source, name):
            count = _checked(source, name)
            taken = asyncio.run(_take_in(names, source, name, count))
        code = 0
        try:
            waiting, note = asyncio.run(_embed(names))
        except KeyboardInterrupt:  # They are there; who searches next goes on.
            waiting, note, code = None, "Interrupted.", INTERRUPTED
        owner = owner_of(names)
        if as_json:
            counts = {"new": taken.new, "known": taken.known, "waiting": waiting, "note": note}
            put(json_line({**counts, "user": owner.user, "project": owner.project}))
            return code
        put(
            f"{taken.new} new and {taken.known} known memories, "
            f"of user {visible(owner.user)} in project {visible(owner.project)}"
        )
        if note:
            put(f"Found by words only until they are embedded: {visible(note)}")
        return code

    return at_the_edge(command)


async def _write(names: Names, kinds: Sequence[MemoryKind], file: IO[bytes]) -> int:
    owner = owner_of(names)
    async with opened_memories(names) as memories:
        writer = await asyncio.to_thread(MemoryWriter, file, owner.user, owner.project)
        async for memory in memories.all_of():
            if memory.kind in kinds:
                writer.write(memory)
        writer.end()
        await asyncio.to_thread(file.flush)
    return writer.written


async def _take_in(names: Names, source: IO[bytes], name: str, count: int) -> "Taken":
    async with opened_memories(names) as memories:
        return await memories.take_in_batches(_batches(source, name, count))


async def _embed(names: Names) -> tuple[int, str]:
    """How many memories still wait for a vector then, and why."""
    async with opened_memories(names) as memories:
        note = await caught_up(memories)
        return (await memories.stats()).waiting, note


async def _batches(source: IO[bytes], name: str, count: int) -> AsyncIterator[list[Memory]]:
    """The file's memories once more, in batches; it says how far it is."""
    reader = await asyncio.to_thread(_reader, source, name)
    memories = iter(reader)
    tell = Progress()
    while batch := await asyncio.to_thread(_next, memories):
        yield batch
        tell("Importing memories", reader.read / max(count, 1))


def _next(memories: Iterator[Memory]) -> list[Memory]:
    return list(islice(memories, _BATCH))


def _checked(source: IO[bytes], name: str) -> int:
    """How many memories the file holds, all of which can be kept.

    Raises:
        ExportError: one of them cannot, or it is no such file.
    """
    reader = _reader(source, name)
    for _ in reader:
        pass
    return reader.read


def _reader(source: IO[bytes], name: str) -> MemoryReader:
    source.seek(0)
    return MemoryReader(source, name)


@contextmanager
def _opened(file: str) -> Iterator[tuple[IO[bytes], str]]:
    """The file and its name, to be read twice: what comes through a pipe is written down first."""
    if file == PIPE:
        with tempfile.TemporaryFile() as kept:
            shutil.copyfileobj(sys.stdin.buffer, kept)
            yield kept, "standard input"
        return
    path = Path(file).expanduser()
    try:
        source = path.open("rb")
    except OSError as error:
        raise ExportError(f"{path} cannot be read: {error.strerror or error}.") from None
    with source:
        if source.seekable():
            yield source, str(path)
            return
        with tempfile.TemporaryFile() as kept:
            shutil.copyfileobj(source, kept)
            yield kept, str(path)


@contextmanager
def _put_in_place(path: Path, force: bool) -> Iterator[IO[bytes]]:
    """A file to write, which takes its place when it is complete.

    Raises:
        ExportError: there is one already, or it cannot be written.
    """
    if not force and os.path.lexists(path):
        raise ExportError(f"{path} exists already.", "Name another file, or give --force.")
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with part.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        raise ExportError(f"{path} cannot be written: {error.strerror or error}.") from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def _close_output() -> None:
    """Else the interpreter, when it ends, would flush to a reader that has left, and complain."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
