"""Searching the files of the workspace, by name and by content."""

import asyncio
import fnmatch
import re
import time
from collections.abc import Iterator, Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, ClassVar

from replan.state.task import Observation
from replan.tools import beneath
from replan.tools.bounds import clipped
from replan.tools.listing import MOST_FILES, walk
from replan.tools.protocol import CallContext, ToolError, schema
from replan.tools.text import decode
from replan.tools.workspace import Workspace

if TYPE_CHECKING:
    from regex import Pattern

_FINDING = re.compile(
    r"\b(?:find|search|grep|look for|locate|which files?|where is)\b|查找|搜索|寻找|哪些文件",
    re.IGNORECASE,
)
_SECONDS = 10.0
_NAMES = 200
_LINES = 60
_LINES_A_FILE = 10
_LINE_CHARS = 200
_READ = 20 * 1024 * 1024


class SearchFiles:
    """Finds files by a name pattern, and in them lines by a regular expression."""

    name = "search_files"
    description = "find files by name, and lines in them by a regular expression"
    parameters: ClassVar[dict[str, Any]] = schema(
        ["files", "text"],
        files={
            "type": "string",
            "minLength": 1,
            "maxLength": 200,
            "description": "a name pattern such as *.md or docs/**; * for all",
        },
        text={
            "type": "string",
            "maxLength": 300,
            "description": "a regular expression to find in them; empty to list their names",
        },
    )
    content = None
    content_language = ""
    reads_only = True

    def unavailable(self) -> str:
        """Always available."""
        return ""

    def told_of(self, goal: str) -> bool:
        """Only where something is to be found: in a small folder all names are told anyway."""
        return bool(_FINDING.search(goal))

    def subjects(self, args: dict[str, Any], workspace: Workspace) -> list[str]:
        """The files whose lines would be shown; where only names are, the name pattern. Blocks."""
        files = str(args["files"])
        return _named(workspace, files) if args["text"] else [files]

    async def call(self, args: dict[str, Any], context: CallContext) -> Observation:
        """Show at most 200 names, or 60 lines with their numbers."""
        seconds = min(_SECONDS, context.seconds)
        text = await asyncio.to_thread(
            _search, context.workspace, str(args["files"]), str(args["text"]), seconds
        )
        return Observation(ok=True, text=text)


def _search(workspace: Workspace, files: str, text: str, seconds: float) -> str:
    stop = time.monotonic() + seconds
    pattern = _compiled(text) if text else None
    workspace.confine(files.rstrip("/"))
    paths = _named(workspace, files)
    if not paths:
        raise workspace.failure(FileNotFoundError(), f"a file named {files}", "be found")
    if pattern is None:
        more = [f"(and {len(paths) - _NAMES} more)"] if len(paths) > _NAMES else []
        return "\n".join([*paths[:_NAMES], *more])
    lines, unread = _found(workspace, paths, pattern, stop)
    if not lines:
        lines.append(f"no line of {len(paths):,} file{'' if len(paths) == 1 else 's'} matches")
    return "\n".join([*lines, *unread])


def _compiled(text: str) -> "Pattern[str]":
    import regex

    try:
        return regex.compile(text, regex.MULTILINE)
    except (regex.error, OverflowError, RecursionError, MemoryError) as error:
        raise ToolError(f"{clipped(text, 100)!r} is no regular expression: {error}.") from error


def _named(workspace: Workspace, pattern: str) -> list[str]:
    """The paths that a name pattern means; one without a folder means names in every folder."""
    parts = pattern.removeprefix("./").split("/")
    if len(parts) == 1:
        parts = ["**", *parts]
    elif not parts[-1]:
        parts[-1] = "**"
    wanted = [
        None if part == "**" else re.compile(fnmatch.translate(part), re.IGNORECASE)
        for part in parts
    ]
    paths = (path for path, _, _ in walk(workspace.path, MOST_FILES))
    return sorted(path for path in paths if _fits(path.split("/"), wanted))


def _fits(parts: Sequence[str], wanted: Sequence[re.Pattern[str] | None]) -> bool:
    """Whether the parts of a path are those wanted; None stands for any number of folders."""
    places = {0}
    for part in parts:
        reached = set()
        for at in _with_skips(places, wanted):
            if at < len(wanted) and (name := wanted[at]) is None:
                reached.add(at)
            elif at < len(wanted) and name is not None and name.match(part):
                reached.add(at + 1)
        places = reached
    return len(wanted) in _with_skips(places, wanted)


def _with_skips(places: set[int], wanted: Sequence[re.Pattern[str] | None]) -> set[int]:
    found = set(places)
    for at in range(len(wanted)):
        if at in found and wanted[at] is None:
            found.add(at + 1)
    return found


def _found(
    workspace: Workspace, paths: list[str], pattern: "Pattern[str]", stop: float
) -> tuple[list[str], list[str]]:
    """Matching lines, and notes of what was not searched."""
    lines: list[str] = []
    large = 0
    for number, path in enumerate(paths):
        text = _text(workspace, path)
        if text is None:
            large += _is_large(workspace, path)
            continue
        try:
            for line in _matches(path, text, pattern, stop):
                if len(lines) == _LINES:
                    return lines, [f"[the first {_LINES}; there are more: narrow the search]"]
                lines.append(line)
        except TimeoutError:
            note = f"[stopped after {number:,} of {len(paths):,} files: it took too long]"
            if lines:
                return lines, [note]
            raise ToolError(
                f"the search was stopped in {path} after {number:,} of {len(paths):,} files: it "
                "takes too long.",
                "Use a simpler expression or fewer files.",
            ) from None
    return lines, [f"[{large} files of over 20 MB not searched]"] if large else []


def _matches(path: str, text: str, pattern: "Pattern[str]", stop: float) -> Iterator[str]:
    """One line for each line in which a match begins."""
    shown, at, number, last = 0, 0, 1, 0
    # `concurrent` lets the event loop go on meanwhile.
    for match in pattern.finditer(text, timeout=_left(stop), concurrent=True):
        number += text.count("\n", at, match.start())
        at = match.start()
        if number == last:
            continue
        last = number
        shown += 1
        if shown > _LINES_A_FILE:
            yield f"{path}: more lines"
            return
        begin = text.rfind("\n", 0, at) + 1
        end = text.find("\n", at)
        line = text[begin : end if end >= 0 else len(text)].strip()
        yield f"{path}:{number}: {clipped(line, _LINE_CHARS)}"


def _text(workspace: Workspace, path: str) -> str | None:
    """What is in a file; None when it is no text, too large, or not to be read."""
    try:
        with beneath.opened(workspace.path, PurePath(path)) as file:
            data = beneath.read(file, _READ)
    except OSError:
        return None
    text = decode(data) if len(data) < _READ else None
    return text.text if text else None


def _is_large(workspace: Workspace, path: str) -> bool:
    try:
        seen = beneath.status(workspace.path, PurePath(path))
    except OSError:
        return False
    return seen is not None and seen.st_size >= _READ


def _left(stop: float) -> float:
    left = stop - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
