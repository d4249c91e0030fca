"""A recorded super-step: its calls are answered from the journal, and none is made."""

import difflib
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from replan.state.errors import DivergedError, ModelAnswerError, RevisionError
from replan.storage.journal import OF_CODE, Entry, Journal, Kind, Outcome, sha256_of
from replan.storage.recording import RanOutError, Recording
from replan.storage.replayed_folder import ReplayedFolder
from replan.storage.revisions import Taken

_CALLS: tuple[Kind, ...] = ("model", "tool", "check", "approval", "store", "join")
_SHOWN_LINES = 60
_LINE_CHARS = 300


@dataclass(frozen=True)
class Divergence:
    """Where today's code did something else than was recorded.

    Attributes:
        step: number of the super-step.
        checkpoint_id: the checkpoint that it starts from.
        node: the node; several are joined by commas where only their common result differs.
        task: id of the plan's task, "" outside one.
        kind: model, tool, check, store or join, the call that differs; state, where only the result
            does; error, where the code failed; approval, where it would ask a person.
        what: one line.
        difference: a unified diff from what was recorded to what is now, "" where there is none.
    """

    step: int
    checkpoint_id: str
    node: str
    task: str
    kind: str
    what: str
    difference: str = ""


@dataclass
class RecordedStep:
    """One super-step as the journal has it.

    Attributes:
        step: its number.
        checkpoint_id: the checkpoint that it starts from.
        journal: for the requests, where one differs.
        entries: its calls by execution, in the order of their numbers.
        folder: the files, as they were.
        left: the workspace's revision after it, and what it lacks since.
        out_of_time: whether the time was up in it, before a call or within one.
        copies: the revisions of copies of it after the step, by branch; see `AgentState`.
        divergence: the first one that a call met.
        replayed: how many calls were answered, by kind.
    """

    step: int
    checkpoint_id: str
    journal: Journal
    entries: Mapping[str, Sequence[Entry]]
    folder: ReplayedFolder
    left: Taken
    out_of_time: bool = False
    copies: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    divergence: Divergence | None = None
    replayed: dict[Kind, int] = field(default_factory=dict)
    _asked: dict[str, int] = field(default_factory=dict)

    async def answer(
        self,
        execution: str,
        node: str,
        task: str,
        kind: Kind,
        name: str,
        request: Any,
        copy: ReplayedFolder | None = None,
    ) -> Entry:
        """The entry of the execution's next call; `copy` where it works in one of the workspace.

        Raises:
            DivergedError: another call was recorded, or none.
            RanOutError: the time ran out during this call.
            ModelAnswerError: the recorded call failed, and the role that made it knew what to do.
        """
        recorded = self.entries.get(execution, ())
        at = self._asked.get(execution, 0)
        # One that failed and was made again, by the same execution.
        while _error_then_again(recorded[at : at + 2]):
            at += 1
        if at >= len(recorded) and kind == "model" and self.out_of_time:
            raise RanOutError
        if at >= len(recorded):
            raise self._diverged(node, task, kind, f"{_called(kind, name)} is not in the record")
        entry = recorded[at]
        if (entry.kind, entry.request_sha256) != (kind, sha256_of(request)):
            before = (await self.journal.requests([entry])).get(entry.request_sha256)
            what = f"{_called(kind, name)} asks something else than was recorded"
            if (entry.kind, entry.name) != (kind, name):
                was = _called(entry.kind, entry.name)
                what = f"{_called(kind, name)} takes the place of the recorded {was}"
            raise self._diverged(node, task, kind, what, difference(before, request))
        self._asked[execution] = at + 1
        if entry.outcome == "pending":
            raise RanOutError
        if error := _error(entry):
            raise ModelAnswerError(error)
        self.replayed[kind] = self.replayed.get(kind, 0) + 1
        # What ran side by side in one folder saw the files as they were when the step began.
        folder = copy or (self.folder if len(self.entries) == 1 else None)
        if entry.left and folder:
            with suppress(RevisionError):  # gone: the next step has one of its own
                await folder.become(entry.left)
        # An answer that could not be used is given again: it cannot be used today either.
        return replace(entry, outcome="ok")

    def not_asked(self) -> Divergence | None:
        """The first recorded call that today's code did not make."""
        for execution, recorded in self.entries.items():
            at = self._asked.get(execution, 0)
            latest = max((one.started for one in recorded[:at] if one.started), default=None)
            for entry in recorded[at:]:
                # Entries that an earlier attempt at the node left behind are older.
                stale = latest and entry.started and entry.started < latest
                if entry.outcome == "ok" and not stale:
                    place, called = entry.place, _called(entry.kind, entry.name)
                    self._diverged(place.node, place.task, entry.kind, f"{called} is not made")
                    return self.divergence
        return None

    def _diverged(
        self, node: str, task: str, kind: str, what: str, difference: str = ""
    ) -> DivergedError:
        if self.divergence is None:
            self.divergence = Divergence(
                self.step, self.checkpoint_id, node, task, kind, what, difference
            )
        return DivergedError(f"{what}.")


class Replaying:
    """The `Recording` of one execution in a replay.

    Args:
        step: the super-step.
        execution: LangGraph's id of the execution.
        node: the node's name.
        task: the plan's task.
        copy: stands for the copy of the workspace that the execution works in, if it does.
        left: the copy's revision after it.
    """

    def __init__(
        self,
        step: RecordedStep,
        execution: str,
        node: str,
        task: str,
        copy: ReplayedFolder | None = None,
        left: Taken | None = None,
    ) -> None:
        self.step = step
        self._copy = copy
        self.execution = execution
        self._node = node
        self._task = task
        self.replaying = True
        self.taken: Taken | None = left or step.left
        self.left_out: Mapping[str, str] = {}

    async def begin(self, kind: Kind, *, role: str, name: str, request: Any) -> Entry | None:
        """See `RecordedStep.answer`."""
        return await self.step.answer(
            self.execution, self._node, self._task, kind, name, request, self._copy
        )

    async def finish(
        self,
        entry: Entry | None,
        response: Any,
        *,
        outcome: Outcome = "ok",
        usage: Mapping[str, Any] | None = None,
        changes: bool = False,
    ) -> None:
        """The record stays as it is."""

    async def roll_back(self, entry: Entry) -> None:
        """No call is made."""

    async def bring_back(self, entry: Entry) -> None:
        """No call is made."""

    def within(self, entry: Entry | None) -> Recording:
        """What code called is in the result of its own call: nothing comes from that here."""
        return self

    async def earlier(self) -> Sequence[Entry]:
        """Nothing is made again."""
        return ()

    async def note_settings(self, settings: Callable[[], Mapping[str, Any]]) -> None:
        """The record has them."""


def calls_by_execution(entries: Sequence[Entry]) -> dict[str, list[Entry]]:
    """The calls of each execution, in the order of their numbers; those that code made are part
    of its own.
    """
    found: dict[str, list[Entry]] = {}
    for entry in sorted(entries, key=lambda entry: entry.number):
        if entry.kind in _CALLS and entry.role != OF_CODE:
            found.setdefault(entry.place.execution, []).append(entry)
    return found


def difference(before: Any, now: Any) -> str:
    """A short unified diff of two JSON values, with texts in their own lines."""
    lines = list(
        difflib.unified_diff(
            written(before).splitlines(), written(now).splitlines(), "recorded", "today", "", "", 1
        )
    )
    shown = [line.rstrip("\n")[:_LINE_CHARS] for line in lines[:_SHOWN_LINES]]
    if len(lines) > len(shown):
        shown.append(f"... and {len(lines) - len(shown)} lines more")
    return "\n".join(shown)


def written(value: Any, where: str = "") -> str:
    """JSON as lines `path: text`; the lines of a text stand under it."""
    if isinstance(value, dict):
        return "\n".join(written(value[key], f"{where}.{key}") for key in sorted(value, key=str))
    if isinstance(value, list):
        return "\n".join(written(one, f"{where}[{at}]") for at, one in enumerate(value))
    if isinstance(value, str) and "\n" in value:
        return "\n".join([f"{where.lstrip('.')}:", *(f"  {line}" for line in value.splitlines())])
    return f"{where.lstrip('.')}: {json.dumps(value, ensure_ascii=False, default=str)}"


def _error(entry: Entry) -> str:
    """What went wrong with a call that failed; "" with one that was answered."""
    response = entry.response
    if entry.outcome != "failed" or not isinstance(response, dict):
        return ""
    return str(response.get("error") or "")


def _error_then_again(two: Sequence[Entry]) -> bool:
    return (
        len(two) == 2 and bool(_error(two[0])) and (two[0].request_sha256 == two[1].request_sha256)
    )


def _called(kind: str, name: str) -> str:
    return {
        "model": "the question to the model",
        "tool": f"the call of {name}",
        "check": "the run of the tests",
        "approval": f"the asking of a person about {name}",
        "store": "the use of long-term memory",
        "join": "the joining of files",
    }.get(kind, f"the call of {name}")
