"""What is asked for after a tool was chosen that takes long content: a script, or a file's text."""

import re
from collections.abc import Sequence
from typing import Any

from replan.nodes.named_files import is_test_file
from replan.nodes.select_tool.demands import order_wanted
from replan.nodes.select_tool.mending import makes_wrong
from replan.state.task import MISSING, Attempt, Task
from replan.tools.protocol import Tool

_LESSON_CHARS = 400


def content_ask(tool: Tool, call: dict[str, Any], task: Task, attempts: Sequence[Attempt]) -> str:
    """What the model is asked after it chose a tool that takes long content.

    Args:
        tool: the tool.
        call: its other arguments.
        task: whose files are to be written.
        attempts: what was tried before.
    """
    if tool.name == "write_file":
        path = call["path"]
        few = (
            "Import what is tested. Three to five short test functions, of values you are sure of."
            if is_test_file(path)
            else ""
        )
        return (
            f"Now give the complete text of {path} and of no other file, short, finished and "
            "without placeholders, in one fenced block and nothing else. "
            f"{few}{_examples(task, path)}{_bare(task, path)}{_meanings(task)}"
        ).strip()
    files = f"writes {' and '.join(task.writes)}, " if task.writes else ""
    return (
        "Now give the complete script, short and simple, in one fenced block and nothing else. It "
        "runs beside the files: open them by the names above, in the current directory. It does "
        f"all that the task asks for, word for word, {files}and prints what was done. It gets no "
        f"input and no arguments. {_bare(task)}{_meanings(task)}{_order(task)}{_lesson(attempts)}"
    ).strip()


def _examples(task: Task, path: str) -> str:
    """What calls of the code have to give, and what a script has to make: said last, also what the
    goal says in general only.
    """
    calls = [one.text for one in task.checks if one.kind == "call_gives" and one.path == path]
    if makes_wrong(task):
        made = [one for one in task.checks if one.path != path and one.path in task.writes]
        calls = [one.describe() for one in made if one.kind != "file_exists"]
    return f"With it {'; '.join(calls)}. " if calls else ""


def _bare(task: Task, path: str = "") -> str:
    """Which files hold a value alone: said last, a script that prints a sentence about it does not
    write that sentence into the file.
    """
    return " ".join(
        f"The text of {check.path} is the {_VALUES[check.kind]} alone, without any other word. "
        for check in task.checks
        if check.kind in _VALUES and path in ("", check.path)
    )


def _order(task: Task) -> str:
    wanted = order_wanted(task.words)
    return f"Mind the order: {wanted}. " if wanted else ""


def again_ask(forgotten: str) -> str:
    """What is asked after a script that forgets something, such as to sort."""
    return (
        f"This script {forgotten}. Give the complete script again, with that, in one fenced block "
        "and nothing else."
    )


def _meanings(task: Task) -> str:
    """What the task says its words mean, such as "A word is a run of letters.": said last, it is
    not taken for what the word means elsewhere.
    """
    return "".join(f"{one.strip()} " for one in _MEANS.findall(task.words)[:_MOST_MEANINGS])


_MOST_MEANINGS = 2
_MEANS = re.compile(
    r"(?:(?<=[.;] )|(?<=\n))(?:An?|One) [`'\"]?\w+[`'\"]? (?:is|means|counts as) [^.;:\n]{5,120}\."
)
_VALUES = {"number_only": "number", "brief_only": "value"}


def _lesson(attempts: Sequence[Attempt]) -> str:
    """What the next script has to do better: said last, it is not forgotten."""
    made = [one for one in attempts if not one.observation.repeated]
    if not made or made[-1].action.tool != "python":
        return ""
    if made[-1].observation.error:
        return f"The last script failed: {made[-1].observation.error[:_LESSON_CHARS]}."
    if missing := not_written(made[-1]):
        opens = " and ".join(f"open('{path}', 'w')" for path in missing)
        return f"The last script wrote no file: this one has to, with {opens}."
    if wrong := [one for one in made[-1].evidence if not one.passed and one.check.path]:
        return (
            f"The last script's result was wrong: {wrong[0].check.path}: {wrong[0].detail[:200]}."
        )
    return ""


def not_written(attempt: Attempt) -> list[str]:
    """The files that a check misses."""
    return [one.check.path for one in attempt.evidence if one.detail.startswith(MISSING)]
