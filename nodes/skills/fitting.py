"""Whether a skill fits a goal and the files of now, and the skill as it reads then.

A call that works on what the files hold (a script that reads them) fits other files of the same
form. One that has what the files held in its own text (a file written by hand, an edit) fits only
the very same files. In doubt nothing fits, and the model is asked as always.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from replan.nodes.skills.forms import KnownCalls, KnownPlan
from replan.nodes.skills.shapes import ALL, ENDINGS, fields, form, inputs
from replan.nodes.skills.wording import Names, aligned, renamed, reworded, tokens
from replan.state.task import Action, Check, Task

_MANY = re.compile(r"\b(?:glob|rglob|iterdir|listdir|scandir|walk)\b")


def fitting_calls(
    skill: KnownCalls, goal: str, title: str, start: Mapping[str, str]
) -> list[Action]:
    """The calls of a skill, with the names of now; none where it does not fit.

    Args:
        skill: what did a task.
        goal: of now.
        title: of the task of now.
        start: what the files are like now.
    """
    then, calls = skill.start, skill.calls
    names = _names(f"{skill.goal}\n{skill.title}", f"{goal}\n{title}", then, start)
    if names is None or not all(_carries_over(call, names, then, start) for call in calls):
        return []
    if not _numbers_are_used(calls, names):
        return []
    names = _with_other_fields(names, calls, then, start)
    return [_renamed(call, names) for call in calls] if names else []


def fitting_plan(
    skill: KnownPlan, goal: str, start: Mapping[str, str]
) -> tuple[list[Task], list[Check]]:
    """The tasks and checks of a skill, with the names of now; none where it does not fit.

    Args:
        skill: what reached a goal.
        goal: of now.
        start: what the files are like now.
    """
    names = _names(skill.goal, goal, skill.start, start)
    if names is None:
        return [], []
    tasks = [
        Task(
            id=f"t{at}",
            title=goal if one.title == skill.goal else reworded(one.title, names),
            writes=[renamed(path, names) for path in one.writes],
        )
        for at, one in enumerate(skill.tasks, start=1)
    ]
    return tasks, [_renamed_check(check, names) for check in skill.checks]


def _names(
    then_text: str, now_text: str, then: Mapping[str, str], now: Mapping[str, str]
) -> Names | None:
    """What stands for what, where the texts and the named files agree."""
    old = [field for shape in inputs(then).values() for field in fields(shape)]
    new = [field for shape in inputs(now).values() for field in fields(shape)]
    words = {(before, after) for before in old for after in new}
    names = aligned(then_text, now_text, words)
    if names is None:
        return None
    mapped = {names.path.get(path, path): shape for path, shape in inputs(then).items()}
    theirs = inputs(now)
    if set(mapped) != set(theirs):
        return None
    alike = all(form(shape) == form(theirs[path]) for path, shape in mapped.items())
    return names if alike else None


def _carries_over(
    call: Action, names: Names, then: Mapping[str, str], now: Mapping[str, str]
) -> bool:
    """Whether the call may be made on the files of now."""
    same_files = then.get(ALL) == now.get(ALL)
    if reads_files(call, inputs(then)):
        return True
    if call.tool == "move_files" and _by_pattern(call):
        return then.get(ENDINGS) == now.get(ENDINGS) and not names.number and not names.word
    # What was written by hand may be called otherwise, but says what it said.
    only_paths = not (names.number or names.word or names.ending)
    if call.tool == "python" and not inputs(then) and not inputs(now):
        return not (names.word or names.ending)
    return same_files and only_paths


def reads_files(call: Action, named: Iterable[str]) -> bool:
    """Whether the call is a script that reads the named files, or all there are."""
    code = str(call.args.get("code", "")) if call.tool == "python" else ""
    paths = list(named)
    return bool(code) and (
        bool(_MANY.search(code)) or (bool(paths) and all(path in code for path in paths))
    )


def _by_pattern(call: Action) -> bool:
    moves = call.args.get("moves", [])
    return bool(moves) and all(
        any(mark in str(file) for mark in "*?[") for move in moves for file in move["files"]
    )


def _numbers_are_used(calls: list[Action], names: Names) -> bool:
    """A number or word that the calls do not hold cannot be replaced in them."""
    told = " ".join(str(call.args) for call in calls)
    held = {text for _, text in tokens(told)}
    return all(name in held for name in [*names.number, *names.word])


def _with_other_fields(
    names: Names, calls: list[Action], then: Mapping[str, str], now: Mapping[str, str]
) -> Names | None:
    """The names, and those of fields that the calls use and the goal does not name.

    None where a field is used that the file of now does not have.
    """
    told = " ".join(str(call.args) for call in calls)
    words = dict(names.word)
    for path, shape in inputs(then).items():
        have = fields(now.get(names.path.get(path, path), ""))
        used = [one for one in fields(shape) if re.search(rf"['\"]{re.escape(one)}['\"]", told)]
        lost = [one for one in used if words.get(one, one) not in have]
        free = [one for one in have if one not in fields(shape) and one not in words.values()]
        if len(lost) == 1 and len(free) == 1:
            words[lost[0]] = free[0]
        elif lost:
            return None
    return Names(path=names.path, ending=names.ending, number=names.number, word=words)


def _renamed(call: Action, names: Names) -> Action:
    return call.model_copy(update={"args": _in(call.args, names), "thought": ""})


def _in(value: Any, names: Names) -> Any:
    if isinstance(value, str):
        return renamed(value, names)
    if isinstance(value, list):
        return [_in(one, names) for one in value]
    if isinstance(value, dict):
        return {key: _in(one, names) for key, one in value.items()}
    return value


def _renamed_check(check: Check, names: Names) -> Check:
    return check.model_copy(
        update={
            "path": renamed(check.path, names),
            "columns": [reworded(column, names) for column in check.columns],
            "text": "" if check.kind == "workspace_changed" else reworded(check.text, names),
        }
    )
