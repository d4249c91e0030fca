"""Notices that a run makes no progress, by what was done and seen alone.

What is kept of a run is small and bounded: the latest actions, digests of what was seen, and how
many steps brought nothing. When it fires, the run plans anew; the next time it takes another
approach and is told what must not be done again; then it stops.
"""

import hashlib
import json
import re
from collections.abc import Iterable
from typing import NamedTuple

from typing_extensions import TypedDict

from replan.nodes.contract import Decision
from replan.state.task import Attempt

# Steps in a row that bring nothing; and of those that leave no new files, whatever they find out.
# Both are fewer once the run was told, so that all ends within 12 steps.
IDLE, IDLE_AGAIN = 3, 2
STILL, STILL_AGAIN = 6, 3
# The same action again, and two by turns, even where each leaves other files.
SAME, SAME_FOR_NOTHING = 5, 3
ALTERNATING, ALTERNATING_FOR_NOTHING = 6, 4
APPROACHES = 2

_ACTIONS = 8
_SEEN = 64
_TRIED = 6
_TOLD_CHARS = 160
_DIGEST = 12
# What differs in the same result seen twice: times and addresses.
_PASSING = re.compile(r"\b\d+(?:\.\d+)?\s?(?:ms|s|seconds?)\b|0x[0-9a-fA-F]+")


class Move(TypedDict):
    """One step as the guard sees it: plain JSON.

    `action` is a digest of the call, `told` the call in words, `files` a digest of the workspace
    if the call changed it, `facts` digests of what came back, `done` whether its task is done.
    """

    action: str
    told: str
    files: str
    facts: list[str]
    done: bool


class Progress(TypedDict, total=False):
    """What is kept of the moves of a run: plain JSON, bounded.

    `actions` are the latest ones, `seen` digests of files and facts; `idle` counts the steps in a
    row that brought nothing new, `still` those that left no new files; `fired` counts how often
    the guard has fired since a task was done, and `tried` tells what led to it.
    """

    actions: list[str]
    told: list[str]
    seen: list[str]
    idle: int
    still: int
    fired: int
    tried: list[str]
    tried_actions: list[str]


class Judged(NamedTuple):
    """What follows from the guard's view of a decision."""

    decision: Decision
    reason: str
    progress: Progress


def move_of(attempt: Attempt, files: str, done: bool) -> Move:
    """A step as the guard sees it.

    Args:
        attempt: what was done and what came of it.
        files: digest of the workspace after it.
        done: whether the task is done.
    """
    action, seen = attempt.action, attempt.observation
    call = json.dumps(action.args, sort_keys=True, ensure_ascii=False, default=str)
    facts: list[str] = []
    if not seen.repeated:
        facts = [seen.text, seen.error]
        facts += [result.detail for result in attempt.evidence if not result.passed]
    return Move(
        action=_digest(f"{action.tool}\0{call}"),
        told=" ".join(f"{action.tool} {call}".split())[:_TOLD_CHARS],
        files=_digest(files) if seen.changed else "",
        facts=[_digest(_PASSING.sub("", fact.strip())) for fact in facts if fact.strip()],
        done=done,
    )


def noted(known: Progress, moves: Iterable[Move]) -> Progress:
    """What is known after further moves."""
    for move in moves:
        known = _noted(known, move)
    return known


def _noted(known: Progress, move: Move) -> Progress:
    seen = known.get("seen", [])
    tried = [] if move["done"] else known.get("tried_actions", [])
    again = move["action"] in tried
    new_files = bool(move["files"]) and move["files"] not in seen and not again
    new_facts = any(fact not in seen for fact in move["facts"]) and not again
    idle = 0 if new_files or new_facts else known.get("idle", 0) + 1
    still = 0 if new_files else known.get("still", 0) + 1
    found = [one for one in (move["files"], *move["facts"]) if one]
    kept = Progress(
        actions=[*known.get("actions", []), move["action"]][-_ACTIONS:],
        told=[*known.get("told", []), move["told"]][-_ACTIONS:],
        # Seen again, it is moved to the end: what a loop shows is not forgotten.
        seen=list(dict.fromkeys([*reversed(found), *reversed(seen)]))[:_SEEN][::-1],
        idle=0 if move["done"] else idle,
        still=0 if move["done"] else still,
        fired=0 if move["done"] else known.get("fired", 0),
        tried=[] if move["done"] else known.get("tried", []),
        tried_actions=tried,
    )
    if move["done"]:
        kept["actions"], kept["told"] = [], []
    return kept


def stuck(progress: Progress) -> str:
    """Why the run makes no progress, in words, or ""."""
    actions = progress.get("actions", [])
    told = progress.get("told", [""])
    idle, still = progress.get("idle", 0), progress.get("still", 0)
    again = progress.get("fired", 0) > 0
    row = _length(actions, 1)
    if row >= SAME or (row >= SAME_FOR_NOTHING and still >= row):
        return f"the same action was taken {row} times in a row: {told[-1]}"
    turns = _length(actions, 2)
    if len(set(actions[-2:])) == 2 and (
        turns >= ALTERNATING or (turns >= ALTERNATING_FOR_NOTHING and idle >= 2)
    ):
        return f"two actions were taken by turns, {turns} times: {told[-2]} and {told[-1]}"
    if idle >= (IDLE_AGAIN if again else IDLE):
        return f"{idle} steps in a row brought neither a new file nor a new fact or error"
    if still >= (STILL_AGAIN if again else STILL):
        return f"{still} steps in a row left the files as they were"
    return ""


def judged(
    decision: Decision, reason: str, progress: Progress, replans: int, max_replans: int
) -> Judged:
    """The decision as the guard leaves it: an end is not put off, but going on in a circle is.

    Args:
        decision: of the role `review`.
        reason: its reason.
        progress: after the latest moves.
        replans: how often the run has planned anew.
        max_replans: how often it may.
    """
    why = stuck(progress) if decision in ("next", "replan") else ""
    if not why:
        return Judged(decision, reason, progress)
    fired = progress.get("fired", 0) + 1
    fresh = list(zip(progress.get("told", []), progress.get("actions", []), strict=True))
    known = list(zip(progress.get("tried", []), progress.get("tried_actions", []), strict=True))
    tried = list(dict.fromkeys([*known, *fresh]))[-_TRIED:]
    kept = Progress(
        actions=[],
        told=[],
        seen=progress.get("seen", []),
        idle=0,
        still=0,
        fired=fired,
        tried=[words for words, _ in tried],
        tried_actions=[action for _, action in tried],
    )
    if fired > APPROACHES or replans >= max_replans:
        return Judged("stopped", f"There is no progress: {why}.", kept)
    said = f"There is no progress: {why}."
    if fired == APPROACHES:
        said = f"{said} Take quite another approach."
    return Judged("replan", f"{reason}. {said}" if reason else said, kept)


def avoided(progress: Progress) -> list[str]:
    """The calls that led nowhere and must not be made again, in words."""
    return list(dict.fromkeys(progress.get("tried", [])))


def taken_up(progress: Progress) -> Progress:
    """For a run that is resumed after it stopped: another chance, with what was tried in mind."""
    return Progress(**{**progress, "idle": 0, "still": 0, "fired": 0, "actions": [], "told": []})


def _length(actions: list[str], period: int) -> int:
    """How many of the latest actions repeat with a period."""
    length = min(period, len(actions))
    while length < len(actions) and actions[-length - 1] == actions[-length - 1 + period]:
        length += 1
    return length


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:_DIGEST]
