"""`replan show`: a checkpoint, the step that made it, and the step that follows."""

import asyncio
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from replan.cli.history import row, short_call
from replan.cli.memory_lines import of_a_run
from replan.cli.printable import put, visible
from replan.cli.run import check_thread_id
from replan.cli.settle import at_the_edge
from replan.graphs.steps import step_before
from replan.state.errors import RevisionError

if TYPE_CHECKING:
    from replan.storage.checkpoints import Checkpoint, Due, History
    from replan.storage.compare import FileChange
    from replan.storage.journal import Entry, Journal
    from replan.storage.revisions import Revisions

_SHOWN_CHARS = 1000
_SHOWN_FILES = 40


@dataclass(frozen=True)
class _Entry:
    """A journal entry with what was asked."""

    entry: "Entry"
    request: Any


@dataclass(frozen=True)
class _Seen:
    """A checkpoint and all that is known of it; `files` is a line where they are not known."""

    history: "History"
    checkpoint: "Checkpoint"
    made_by: list[_Entry]
    begun: list[_Entry]
    files: "list[FileChange] | str"


def show_checkpoint(thread_id: str, name: str, full: bool, as_json: bool) -> int:
    """Print a checkpoint. Returns the exit code.

    Args:
        thread_id: the thread.
        name: `head`, the checkpoint's id, or an unambiguous part of it.
        full: whether long texts are printed whole.
        as_json: whether to print one JSON object, in which nothing is cut.
    """

    def command() -> int:
        check_thread_id(thread_id)
        seen = asyncio.run(_seen(thread_id, name))
        if as_json:
            put(json.dumps(_as_json(seen), ensure_ascii=False, default=str))
        else:
            put("\n".join(_Page(seen, full).lines()))
        return 0

    return at_the_edge(command)


async def _seen(thread_id: str, name: str) -> _Seen:
    from replan.storage.checkpoints import find_checkpoint, read_history
    from replan.storage.database import open_database
    from replan.storage.journal import Journal
    from replan.storage.persistence import open_persistence
    from replan.storage.revisions import Revisions

    async with open_persistence(await open_database()) as opened:
        history = await read_history(opened, thread_id)
        checkpoint = await find_checkpoint(opened, history, name)
        revisions = Revisions(opened.pool)
        journal = Journal(revisions)
        maker = history.maker(checkpoint)
        return _Seen(
            history,
            checkpoint,
            await _entries(journal, thread_id, maker) if maker else [],
            await _entries(journal, thread_id, checkpoint),
            await _files(revisions, history, checkpoint),
        )


async def _entries(journal: "Journal", thread_id: str, start: "Checkpoint") -> list[_Entry]:
    return [
        _Entry(entry, await journal.request(entry))
        for entry in await journal.of_checkpoint(thread_id, start.checkpoint_id)
    ]


async def _files(
    revisions: "Revisions", history: "History", checkpoint: "Checkpoint"
) -> "list[FileChange] | str":
    """What the step changed; nothing was known of the files before the first revision."""
    from replan.storage.compare import changed_files

    parent = history.parent(checkpoint)
    before = str(parent.values.get("revision") or "") if parent else ""
    after = str(checkpoint.values.get("revision") or "")
    if not before or not after:
        return []
    try:
        return await changed_files(revisions, before, after)
    except RevisionError as error:
        return error.what


def _as_json(seen: _Seen) -> dict[str, Any]:
    files = seen.files
    return {
        "thread_id": seen.history.thread_id,
        **row(seen.history, seen.checkpoint),
        "state": dict(seen.checkpoint.values),
        "due": [_due(due) for due in seen.checkpoint.due],
        "interrupts": [getattr(one, "value", one) for one in seen.checkpoint.interrupts],
        "made_by": [_entry(one) for one in seen.made_by],
        "begun": [_entry(one) for one in seen.begun],
        "files": None
        if isinstance(files, str)
        else [{"path": one.shown, "change": one.change} for one in files],
    }


def _due(due: "Due") -> dict[str, Any]:
    return {"node": due.node, "payload": due.payload}


def _entry(one: _Entry) -> dict[str, Any]:
    fields = asdict(one.entry)
    del fields["begun_before"]
    return {**fields.pop("place"), **fields, "request": one.request}


class _Page:
    """The same in lines, for a person."""

    def __init__(self, seen: _Seen, full: bool) -> None:
        self._seen = seen
        self._full = full
        self._cut = False

    def lines(self) -> list[str]:
        seen = self._seen
        history, checkpoint = seen.history, seen.checkpoint
        head = ", the head" if checkpoint is history.head else ""
        lines = [
            f"checkpoint {checkpoint.checkpoint_id}{head}",
            f"  thread {history.thread_id}, branch {history.branch(checkpoint)}",
            f"  step {checkpoint.step}, {checkpoint.source}, {checkpoint.created}",
        ]
        if checkpoint.namespace:
            lines.append(f"  namespace {visible(checkpoint.namespace)}")
        if checkpoint.parent_id:
            lines.append(f"  from {checkpoint.parent_id}")
        lines += ["", "Made by", *self._made_by()]
        values = dict(checkpoint.values)
        if memories := of_a_run(values.pop("memories", None)):
            lines += ["", "Memories", *(f"  {line}" for line in memories)]
        lines += ["", "State", *self._state(values)]
        lines += ["", "Next", *self._next()]
        if self._cut:
            lines += ["", "Long texts are cut; all of them: --full, or --json"]
        return lines

    def _made_by(self) -> list[str]:
        done = step_before(self._seen.history, self._seen.checkpoint)
        lines = [f"  {', '.join(done.nodes) or self._seen.checkpoint.source}"]
        lines += [f"  {call.task}: {short_call(call)}" for call in done.calls]
        lines += [f"  {task}: {verdict}" for task, verdict in done.verdicts.items()]
        if done.decision:
            lines.append(f"  decision: {done.decision}")
        for one in self._seen.made_by:
            lines += self._entry(one)
        files = self._seen.files
        if isinstance(files, str):
            return [visible(line) for line in [*lines, f"  files: {files}"]]
        lines += [f"  file {one.change}: {one.shown}" for one in files[:_SHOWN_FILES]]
        if len(files) > _SHOWN_FILES:
            lines.append(f"  and {len(files) - _SHOWN_FILES} more files")
        return [visible(line) for line in lines]

    def _next(self) -> list[str]:
        checkpoint = self._seen.checkpoint
        if not checkpoint.due:
            return ["  nothing: the run has ended here"]
        lines = []
        for due in checkpoint.due:
            task = due.payload.get("task") if isinstance(due.payload, dict) else None
            named = f" {task.get('id', '')}" if isinstance(task, dict) else ""
            lines.append(f"  {due.node}{named}")
        for asked in checkpoint.interrupts:
            lines += self._text("waits for an answer", getattr(asked, "value", asked))
        for one in self._seen.begun:
            lines += self._entry(one)
        return [visible(line) for line in lines]

    def _state(self, values: dict[str, Any]) -> list[str]:
        lines = []
        for name, value in values.items():
            if value in ("", None, [], {}):
                continue
            lines += [visible(line) for line in self._text(name, value)]
        return lines

    def _entry(self, one: _Entry) -> list[str]:
        entry = one.entry
        usage = entry.usage or {}
        tokens = ""
        if "input_tokens" in usage or "output_tokens" in usage:
            tokens = f", {usage.get('input_tokens', 0)} + {usage.get('output_tokens', 0)} tokens"
        seconds = ""
        if entry.started and entry.ended:
            seconds = f", {(entry.ended - entry.started).total_seconds():.2f} s"
        lines = [
            f"  call {entry.number} of {entry.place.node} ({entry.role}): "
            f"{entry.kind} {entry.name}: {entry.outcome}{seconds}{tokens}, {entry.started}"
        ]
        if entry.revision:
            lines.append(f"    files: revision {entry.revision} -> {entry.left or '?'}")
        for who, text in _asked(one.request):
            lines += self._text(f"  {who}", text)
        for who, text in _answered(entry.response):
            lines += self._text(f"  {who}", text)
        return lines

    def _text(self, name: str, value: Any) -> list[str]:
        """A named value, bounded; of more than one line it stands below its name."""
        text = value if isinstance(value, str) else json.dumps(
            value, ensure_ascii=False, indent=1, default=str
        )  # fmt: skip
        more = ""
        if not self._full and len(text) > _SHOWN_CHARS:
            self._cut = True
            more = f" ... ({len(text):,} characters)"
            text = text[:_SHOWN_CHARS]
        parts = f"{text}{more}".splitlines() or [""]
        if len(parts) == 1:
            return [f"  {name}: {parts[0]}"]
        inner = " " * (len(name) - len(name.lstrip()) + 4)
        return [f"  {name}:", *(f"{inner}{part}" for part in parts)]


def _asked(request: Any) -> list[tuple[str, Any]]:
    """The prompt's messages and what else is asked, or all of it."""
    if not isinstance(request, dict) or not isinstance(request.get("messages"), list):
        return [("asked", request)]
    rest = {name: value for name, value in request.items() if name != "messages"}
    said = [
        (str(message.get("role") or message.get("type") or "message"), _content(message))
        for message in request["messages"]
        if isinstance(message, dict)
    ]
    return [*said, ("parameters", rest)] if rest else said


def _answered(response: Any) -> list[tuple[str, Any]]:
    """The answer's text, or all of what came back."""
    if response is None:
        return []
    if isinstance(response, dict) and isinstance(response.get("data"), dict):
        data = response["data"]
        said = [("answer", _content(data))]
        return [*said, ("tool calls", data["tool_calls"])] if data.get("tool_calls") else said
    return [("result", response)]


def _content(message: dict[str, Any]) -> Any:
    inner = message.get("data")
    return inner.get("content", "") if isinstance(inner, dict) else message.get("content", "")
