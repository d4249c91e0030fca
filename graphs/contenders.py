"""Several attempts at one task side by side: who goes on, who has won, and what is kept of them.

Each works in its own copy of the workspace. The first whose checks pass wins. Of those that come
to it in the same super-step it is the one whose files most others have come to as well, which is
more often right than any single one (self-consistency, Wang et al. 2022); of equal ones, the one
that was sent out first. Where none passes, the best evidence stands for them all, and the task
counts one failed attempt.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from replan.state.task import Task

TO_BE_MADE: Mapping[str, str] = {"base": "", "revision": ""}


@dataclass(frozen=True)
class Going:
    """A branch to be sent out.

    Attributes:
        name: the task's id, or `ID/TRY.NUMBER`.
        task: as the branch has it.
        contender: its number among the attempts side by side, from 1; 0 where it is the only one.
        copy: revisions of the copy that it works in, if it works in one.
    """

    name: str
    task: Task
    contender: int = 0
    copy: Mapping[str, str] = field(default_factory=lambda: TO_BE_MADE)


@dataclass
class Settled:
    """What has come of attempts side by side: changes of the channels of those names.

    Attributes:
        tasks: the tasks that were settled.
        copies: the copy that stands for each; None for the others.
        contenders: None for each.
    """

    tasks: dict[str, Task] = field(default_factory=dict)
    copies: dict[str, dict[str, str] | None] = field(default_factory=dict)
    contenders: dict[str, None] = field(default_factory=dict)


def branches_of(state: Mapping[str, Any], task: Task, attempts: int) -> list[Going]:
    """The branches that a ready task goes on with.

    Args:
        state: the channels `copies` and `contenders` of it.
        task: open.
        attempts: how many to begin side by side.
    """
    copies, works = state.get("copies", {}), state.get("contenders", {})
    begun = _begun(copies, task)
    if not begun and attempts > 1:
        start = copies.get(task.id, TO_BE_MADE)
        return [
            Going(_name(task, number), task, number, start) for number in range(1, attempts + 1)
        ]
    if not begun:
        return [Going(task.id, task, copy=copies.get(task.id, TO_BE_MADE))]
    as_they_are = {name: _work(works, name, task) for name in begun.values()}
    return [
        Going(name, as_they_are[name], number, copies[name])
        for number, name in begun.items()
        if not _ended(as_they_are[name], task)
    ]


def settled(state: Mapping[str, Any], tasks: list[Task], over: bool) -> Settled:
    """What has come of the attempts that have ended.

    Args:
        state: the channels `copies` and `contenders` of it.
        tasks: the plan's.
        over: whether those that have not ended will not go on.
    """
    result = Settled()
    copies, works = state.get("copies", {}), state.get("contenders", {})
    for task in tasks:
        begun = _begun(copies, task)
        if not begun:
            continue
        found = {name: _work(works, name, task) for name in begun.values()}
        best = _agreed({name: work for name, work in found.items() if work.status == "done"})
        if not best and (over or all(_ended(work, task) for work in found.values())):
            best = max(found, key=lambda name: _evidence(found[name], task))
        if best:
            result.tasks[task.id] = found[best]
            result.copies |= {**dict.fromkeys(found), task.id: dict(copies[best])}
            result.contenders |= dict.fromkeys(found)
    return result


def _agreed(passed: Mapping[str, Task]) -> str:
    """The attempt with whose files most of those that passed agree, "" for none."""
    files = {name: _files(work) for name, work in passed.items()}
    votes = Counter(files.values())
    return max(passed, key=lambda name: votes[files[name]], default="")


def _files(work: Task) -> str:
    """Digest of the files as the attempt left them."""
    return next((one.files for one in reversed(work.attempts) if one.files), "")


def _name(task: Task, number: int) -> str:
    return f"{task.id}/{task.tries + 1}.{number}"


def _begun(copies: Mapping[str, Any], task: Task) -> dict[int, str]:
    """The names of the attempts that are being made, by number."""
    start = f"{task.id}/{task.tries + 1}."
    names = [name for name in copies if name.startswith(start)]
    numbers = sorted(int(name.removeprefix(start)) for name in names)
    return {number: _name(task, number) for number in numbers}


def _work(works: Mapping[str, Any], name: str, task: Task) -> Task:
    return Task.model_validate(works[name]) if name in works else task


def _ended(work: Task, task: Task) -> bool:
    """Whether an attempt is over: it was good, or has failed."""
    return work.status != "open" or work.tries > task.tries


def _evidence(work: Task, task: Task) -> tuple[int, bool, bool]:
    """How good an attempt is; of equal ones, the first counts."""
    last = work.attempts[-1] if work.rounds > task.rounds and work.attempts else None
    if last is None:
        return 0, False, False
    passed = sum(result.passed for result in last.evidence)
    return passed, last.observation.ok, bool(last.observation.changed)
