"""Mending what is there: which files may be edited, line by line, and what the model is shown.

A small model that is to give a whole file again gives the same file again. Asked for each fault
and the line it is in, where the line can only be one of the file, it finds the lines.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from replan.models.schemas import strict_object
from replan.nodes.contract import SelectToolRequest
from replan.nodes.named_files import is_test_file
from replan.nodes.select_tool.function_repair import WROTE
from replan.nodes.select_tool.string_quotes import with_escaped_breaks
from replan.nodes.survey import CODE, TABLES, TEXT
from replan.state.errors import ReplanError
from replan.state.task import MISSING, Attempt, Task
from replan.tools.bounds import storable
from replan.tools.edit import edited
from replan.tools.formats import syntax_fault
from replan.tools.protocol import ToolError
from replan.tools.workspace import Workspace

MEND = (
    "Which lines of the code are wrong? One edit for each: the fault, the old line as it is, and "
    "the new line in its place. Answer in JSON."
)
MEND_SCRIPT = (
    "Which lines of the script are wrong? One edit for each: the fault, the old line as it is, "
    "and the new line in its place. Answer in JSON."
)
MEND_LINE = (
    "The script fails in this line:\n{line}\nGive the new line in its place, and, only where that "
    "is not enough, edits of other lines. Answer in JSON."
)
# How an error goes on that happened in a line of the script.
FAILED_AT = " (script.py line "
_MOST_CHARS = 8000
_MOST_SOURCES = 4
# Of a longer script the checkpoint keeps, and the prompt shows, only the beginning.
SCRIPT_CHARS = 3000
_MOST_LINES = 120
_MOST_EDITS = 4
_MOST_OTHERS = 3
_OF_CODE = ("tests_pass", "script_runs", "call_gives")
_PLACE = re.compile(r"\(([\w./-]+\.py) line (\d+)[:)]")
_FAULT = 120
_LINE = 400


def runs_code(task: Task) -> bool:
    """Whether what decides about the task is code that is run: its tests, or a script to mend."""
    return any(check.kind in ("tests_pass", "script_runs") for check in task.checks)


def left_to_write(task: Task) -> list[str]:
    """The files that are still missing after the mended script was run: not its to make."""
    last = task.attempts[-1] if task.attempts else None
    if last is None or last.action.tool != "run_script" or not last.observation.ok:
        return []
    missing = [one.check.path for one in task.failing if one.detail.startswith(MISSING)]
    only = len(missing) == len(task.failing)
    return [path for path in missing if path in task.writes] if only else []


def makes_wrong(task: Task) -> bool:
    """Whether the mended script runs, and what it makes is wrong: then it is written anew, for a
    small model does not find the line.
    """
    ran = not any(one.check.kind == "script_runs" for one in task.failing)
    return runs_script(task) and bool(task.attempts and task.failing) and ran


def written_anew(task: Task) -> list[str]:
    """The code that the task itself has made and that fails most of the goal's examples, or still
    fails some after one attempt to mend it: who sees it writes it again, and a small model mends
    short code less often than it gets it right another time (Olausson et al. 2024). In turns with
    mending: what is nearly right after another way was gone is not thrown away.
    """
    made = set(task.own_files)
    examples = [one for one in task.evidence if one.check.kind == "call_gives"]
    failing = Counter(one.check.path for one in examples if not one.passed)
    all_of = Counter(one.check.path for one in examples)
    return [
        path
        for path in sorted(made & failing.keys())
        if (task.tries or 2 * failing[path] > all_of[path]) and not _is_next_mended(path, task)
    ]


def _is_next_mended(path: str, task: Task) -> bool:
    """Whether it is the turn of mending: after it was written in two ways, or was there before."""
    changed = [
        one.action
        for one in task.attempts
        if one.action.tool in ("write_file", "edit_file") and one.action.args.get("path") == path
    ]
    mended = [one.tool == "edit_file" or one.thought.startswith(WROTE) for one in changed[-1:]]
    return len(changed) != 1 and mended != [True]


def place_of_failure(task: Task) -> tuple[str, int, str] | None:
    """The file and line in which a script of the workspace that is to run fails, and how."""
    for result in task.failing:
        if result.check.kind == "script_runs" and (found := _PLACE.search(result.detail)):
            return found[1], int(found[2]), result.detail
    return None


def runs_script(task: Task) -> bool:
    """Whether a script is to be mended: the other files that the task writes are for it to make."""
    return any(check.kind == "script_runs" for check in task.checks)


def is_mending(request: SelectToolRequest) -> bool:
    """Whether tests, examples or a script fail, and all the code that they are about is there."""
    task = request.task
    own = [path for path in task.writes if path.endswith(CODE) or not runs_script(task)]
    if not all(path in request.existing for path in own):
        return False
    if runs_script(task) and task.attempts:
        return any(result.check.kind == "script_runs" for result in task.failing)
    anew = written_anew(task)
    return any(
        result.check.kind in _OF_CODE
        and result.check.path not in anew
        and (not result.check.path or result.check.path in request.existing)
        and "ModuleNotFoundError" not in result.detail
        for result in task.failing
    )


def writable_code(request: SelectToolRequest) -> list[str]:
    """The code that may be changed so that tests pass."""
    return [
        path
        for path in request.existing
        if path.endswith(CODE) and path not in request.protected and not is_test_file(path)
    ]


def editable(request: SelectToolRequest) -> list[str]:
    """The files an edit may be made in: the task's own that exist, and code that tests fail for.

    Tables are for scripts.
    """
    anew = written_anew(request.task)
    own = [
        path
        for path in request.task.writes
        if path in request.existing
        and path.endswith(TEXT)
        and not path.endswith(TABLES)
        and not _by_script(path, request.task)
        and (path.endswith(CODE) or not runs_script(request.task))
        and path not in anew
    ]
    code = writable_code(request) if is_mending(request) else []
    code = [path for path in code if path not in anew]
    return list(dict.fromkeys([*own, *code]))


def _by_script(path: str, task: Task) -> bool:
    """Whether the file is what a script made, or a call left that failed: no text to go on from.
    Where it is wrong, the script is.
    """
    wrote = [one for one in task.attempts if path in one.observation.changed]
    return bool(wrote) and (wrote[-1].action.tool == "python" or not wrote[-1].observation.ok)


async def read_editable(request: SelectToolRequest, workspace: Workspace) -> dict[str, str]:
    """The present text of the files that may be edited.

    Those that do not fit the room left are out, and those that are no plain text. First come the
    task's own, then the code that the failing tests speak of.
    """
    found: dict[str, str] = {}
    room = _MOST_CHARS
    said = " ".join(result.detail for result in request.task.evidence)
    paths = editable(request)
    paths.sort(key=lambda path: (path not in request.task.writes, Path(path).stem not in said))
    for path in paths:
        try:
            text = await workspace.read_text(path, room + 1)
        except ReplanError:  # gone, or not to be read: then it cannot be edited either
            continue
        if text.strip() and len(text) <= room and storable(text) == text and "\ufffd" not in text:
            found[path] = text
            room -= len(text)
        if len(found) == _MOST_SOURCES:
            break
    return found


def failed_in_line(task: Task) -> bool:
    """Whether the last call was a script that failed in one of its lines."""
    last = task.attempts[-1] if task.attempts else None
    if last is None or last.action.tool != "python" or last.observation.repeated:
        return False
    return FAILED_AT in last.observation.error


def script_to_mend(task: Task) -> str:
    """The script of the last attempt, if edits may put it right; otherwise "".

    It has to have failed in one of its lines. Where an edit led to the same failure, or to one no
    further down, a new script is better: it is the way that is wrong, not the line. So it is where
    the script ran but its result is wrong: asked for the wrong line then, a small model names the
    last one.
    """
    if not failed_in_line(task):
        return ""
    last = task.attempts[-1]
    if len(task.attempts) > 1 and not _got_further(task.attempts[-2], last):
        return ""
    script = str(last.action.args.get("code", ""))
    return script if script.strip() and len(script) <= SCRIPT_CHARS else ""


def _got_further(earlier: Attempt, last: Attempt) -> bool:
    """Whether the last script failed otherwise than the one before it, and in a later line, or by
    another kind of error in the same one.
    """
    error, _, place = earlier.observation.error.partition(FAILED_AT)
    error_now, _, place_now = last.observation.error.partition(FAILED_AT)
    if not place or earlier.action.tool != "python":
        return True
    if error.partition(":")[0] != error_now.partition(":")[0]:
        return _number(place_now) >= _number(place)
    return error != error_now and _number(place_now) > _number(place)


def _number(place: str) -> int:
    found = re.match(r"\d+", place)
    return int(found.group()) if found else 0


def failing_line(script: str, number: int) -> str:
    """The line of that number; "" where it is not the only one that reads so.

    Asked which lines are wrong, a small model names the fault right and the line beside it.
    """
    lines = script.splitlines()
    line = lines[number - 1] if 0 < number <= len(lines) else ""
    return line if line.strip() and lines.count(line) == 1 and len(line) < _LINE else ""


def line_of_script(task: Task) -> int:
    """The number of the line in which the last script failed, from 1; 0 for none."""
    return _number(task.attempts[-1].observation.error.partition(FAILED_AT)[2])


def line_schema(script: str) -> dict[str, Any]:
    """The schema of what takes the place of the failing line, and edits of others."""
    others = {**edits_schema(script), "minItems": 0, "maxItems": _MOST_OTHERS}
    new = {"type": "string", "maxLength": _LINE}
    return strict_object({"new": new, "other_edits": others})


def edits_of_line(script: str, line: str, answer: Mapping[str, Any]) -> list[Mapping[str, str]]:
    """What was answered to `line_schema`, as edits of a line each; one set in as far as the old."""
    indent = line[: len(line) - len(line.lstrip())]
    new = str(answer["new"])
    # Set in by the model or not, it stands where the old one stood.
    new = new if new.startswith((" ", "\t")) or not new.strip() else f"{indent}{new}"
    new = with_escaped_breaks(script, line, new.rstrip())
    edits = {line: {"fault": "", "old": line, "new": new}}
    for other in answer["other_edits"]:
        if other["old"] != other["new"]:
            edits.setdefault(other["old"], other)
    return list(edits.values())


def mended(script: str, edits: Sequence[Mapping[str, str]]) -> str:
    """The script with the edits made; one that cannot be made, or breaks it, is left out."""
    after = script
    made: list[tuple[str, str]] = []
    for edit in edits:
        pairs = [*made, (edit["old"], edit["new"])]
        with suppress(ToolError):
            tried = edited(script, pairs, "the script")
            if not syntax_fault(tried, "script.py") or syntax_fault(script, "script.py"):
                after, made = tried, pairs
    return after


def edit_schema(path: str, text: str) -> dict[str, Any]:
    """The schema of an `edit_file` call for one file."""
    call = {"tool": {"const": "edit_file"}, "path": {"const": path}, "edits": edits_schema(text)}
    return strict_object(call)


def edits_schema(text: str) -> dict[str, Any]:
    """The schema of edits in which the old text is a line that is in the text once.

    The line that opens a function or class is left out: who is asked for a wrong line names it
    and means the body below.
    """
    lines = text.splitlines()
    once = [
        line
        for line in lines
        if line.strip() and lines.count(line) == 1 and not _is_heading(line) and len(line) < _LINE
    ]
    old: dict[str, Any] = {"enum": once}
    if not once or len(once) > _MOST_LINES:
        old = {"type": "string", "minLength": 1, "maxLength": _LINE}
    edit = {
        "fault": {"type": "string", "maxLength": _FAULT},
        "old": old,
        "new": {"type": "string", "maxLength": _LINE},
    }
    return {
        "type": "array",
        "minItems": 1,
        "maxItems": _MOST_EDITS,
        "items": strict_object(edit),
    }


def shown_now(sources: Mapping[str, str], survey: str) -> list[str]:
    """The files that are no longer as the survey shows them, as they are now."""
    shown = []
    for path, text in sources.items():
        block = re.escape(f"{path} holds:\n{text.rstrip()}")
        if not re.search(rf"^{block}(?:\n\S.* (?:holds|begins)\b|\Z)", survey, re.MULTILINE):
            shown.append(f"{path} holds now:\n{text.rstrip()}")
    return shown


def _is_heading(line: str) -> bool:
    opens = ("def ", "async def ", "class ", "if __name__")
    return line.lstrip().startswith(opens) and line.rstrip()[-1] == ":"
