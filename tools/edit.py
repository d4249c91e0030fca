"""Editing a text file: some of its text replaced by other text."""

import asyncio
import itertools
import re
from collections.abc import Sequence
from typing import Any, ClassVar

from replan.state.task import Observation
from replan.tools.bounds import clipped
from replan.tools.formats import fault
from replan.tools.protection import is_protected
from replan.tools.protocol import CallContext, ToolError, schema
from replan.tools.text import Text, decode
from replan.tools.workspace import Workspace

_MOST_BYTES = 2 * 1024 * 1024
_EDIT = schema(
    ["old", "new"],
    fault={"type": "string", "description": "what is wrong there"},
    old={"type": "string", "minLength": 1, "description": "text that is in the file once"},
    new={"type": "string", "description": "what takes its place"},
)


class EditFile:
    """Replaces text that occurs exactly once. All edits are made, or none."""

    name = "edit_file"
    description = "replace lines of a text file by other lines"
    parameters: ClassVar[dict[str, Any]] = schema(
        ["path", "edits"],
        path={"type": "string", "minLength": 1, "description": "the file"},
        edits={"type": "array", "minItems": 1, "maxItems": 50, "items": _EDIT},
    )
    subject = "path"
    content = None
    content_language = ""

    def unavailable(self) -> str:
        """Always available."""
        return ""

    async def call(self, args: dict[str, Any], context: CallContext) -> Observation:
        """Edit, unless it would leave a well-formed file broken."""
        path = str(args["path"])
        workspace = context.workspace
        if await asyncio.to_thread(is_protected, workspace, path, context.protected):
            raise ToolError(f"{path} must not be changed.", "Edit another file.")
        text = await asyncio.to_thread(_text, workspace, path)
        before = text.text
        pairs = list(dict.fromkeys((str(one["old"]), str(one["new"])) for one in args["edits"]))
        after = edited(before, pairs, path)
        if after == before:
            raise ToolError("the edits change nothing: each new text is the same as the old.")
        wrong = await asyncio.to_thread(fault, path, after.encode("utf-8", "replace"))
        if wrong and not await asyncio.to_thread(fault, path, before.encode()):
            raise ToolError(f"with these edits {path} would be broken: {wrong}.")
        try:
            data = text.encoded(after)
        except UnicodeEncodeError as error:
            lacks = after[error.start : error.start + 1]
            raise ToolError(
                f"{path} is in {text.encoding}, which has no {lacks!r}.", "Use other characters."
            ) from error
        await asyncio.to_thread(workspace.write_bytes, path, data)
        count = len(pairs)
        said = f"edited {path} in {count} place{'' if count == 1 else 's'}"
        return Observation(ok=True, text=f"{said}, but {wrong}" if wrong else said)


def edited(text: str, pairs: Sequence[tuple[str, str]], path: str) -> str:
    """The text with each old part replaced by the new one beside it.

    All old parts are looked for in the text as it was: where they stand as whole lines, or else
    anywhere. A replacement that lacks the indentation of whole lines it replaces is given it; of
    an empty one nothing remains of the lines.

    Args:
        text: the file's text, with its own kind of line ends.
        pairs: old and new; the old parts are in the text exactly once and do not overlap.
        path: the file's name, for errors.

    Raises:
        ToolError: an old part is not there, more than once, or overlaps another.
    """
    end = "\r\n" if "\r\n" in text else "\n"
    spans = []
    for pair in pairs:
        old, new = (end.join(part.splitlines()) if "\n" in part else part for part in pair)
        start, whole = _place(text, old, end, path)
        stop = start + len(old)
        if whole and not new:
            stop = min(stop + len(end), len(text))
        spans.append((start, stop, _indented(old, new) if whole else new))
    spans.sort()
    for (_, before, _), (after, _, _) in itertools.pairwise(spans):
        if before > after:
            raise ToolError("two edits are about the same text.", "Make them one.")
    for start, stop, new in reversed(spans):
        text = text[:start] + new + text[stop:]
    return text


def _place(text: str, old: str, end: str, path: str) -> tuple[int, bool]:
    """Where the old part begins, and whether it is whole lines there."""
    framed = f"{end}{text}{end}"
    lines = [match.start() for match in re.finditer(f"(?={re.escape(f'{end}{old}{end}')})", framed)]
    if len(lines) == 1:
        return lines[0], True
    count = text.count(old)
    shown = clipped(old.strip(), 100)
    if count == 1:
        return text.index(old), False
    if count:
        raise ToolError(f"{shown!r} is in {path} {count} times.", "Give more lines around it.")
    raise ToolError(f"{shown!r} is not in {path}.", "Copy the old text from the file as it is.")


def _indented(old: str, new: str) -> str:
    indent = old[: len(old) - len(old.lstrip())]
    if not indent or not new.strip() or new[:1].isspace():
        return new
    return "".join(f"{indent}{line}" if line.strip() else line for line in new.splitlines(True))


def _text(workspace: Workspace, path: str) -> Text:
    data = workspace.read_bytes(path, _MOST_BYTES)
    if len(data) == _MOST_BYTES:
        raise ToolError(f"{path} is too large to edit.", "Change it by a script.")
    text = decode(data)
    # A guessed encoding has to give back every byte that is not edited.
    if text is None or text.encoded(text.text) != data:
        raise ToolError(f"{path} is not text in an encoding that is known.", "Use a script.")
    return text
