"""Scripts that a goal wants mended so that they run: what decides is their run."""

import re
import shlex
from collections.abc import Sequence
from contextlib import suppress

from replan.nodes.named_files import is_test_file
from replan.state.task import Check

# With other signs the command is more than the script and its arguments.
_COMMAND = r"[`'\"“]python3?\s+{name}((?:\s+[\w./=-]+)*)\s*[`'\"”]"
_BARE = r"\bpython3?\s+{name}(?![\w./-])(?=[,.;:!?)，。；：]|\s*$|\s+(?:{verbs})\b)"
_VERBS = (
    r"crash\w*|fail\w*|stops?|stopped|breaks?|broke|does|do|raises?|throws?|ends?|runs?|works?|"
    r"gives?|prints?|exits?|and|but|with|so|should|must|again"
)
_RUNS = (
    r"(?:\b(?:crash\w*|traceback)\b|\bso that (?:it|the script|{name}) (?:runs|works)\b"
    r"|\bmake\s+[`'\"]?{name}[`'\"]?\s+(?:run|work)\b|崩溃|报错|跑不起来|无法运行|不能运行|能(?:正常)?运行)"
)
# What waits, or serves, never ends.
_ENDLESS = re.compile(
    r"\b(?:server|serves?|daemon|forever|interactive\w*|input\(\)|asks? for)\b|服务"
)


def scripts_to_run(goal: str, changes: Sequence[str]) -> list[Check]:
    """A check for each script that is to be changed so that it runs to its end.

    Args:
        goal: its own words.
        changes: the files that are there and that it wants changed.
    """
    if _ENDLESS.search(goal):
        return []
    found = []
    for path in changes:
        if not path.endswith(".py") or is_test_file(path):
            continue
        name = re.escape(path)
        command = re.search(_COMMAND.format(name=name), goal)
        bare = re.search(_BARE.format(name=name, verbs=_VERBS), goal)
        said = re.search(_RUNS.format(name=name), goal, re.IGNORECASE)
        if command or bare or said:
            found.append(Check(kind="script_runs", path=path, text=_arguments(command)))
    return found


def _arguments(command: re.Match[str] | None) -> str:
    with suppress(ValueError):
        return shlex.join(shlex.split(command[1])) if command else ""
    return ""
