"""Scripts that a goal wants mended so that they run: what decides is their run."""

import re
import shlex
from collections.abc import Sequence
from contextlib import suppress

from replan.nodes.named_files import is_test_file
from replan.state.task import Check

# With other signs the command is more than the script and its arguments.
_COMMAND = r"[`'\"“]python3?\s+{name}((?:\s+[\w./=-]+)*)\s*[`'\"”]"
_FAILS = r"(?:crash(?:es|ed)?|fails?|failed|stops?|stopped|breaks?|broke|does not (?:run|work))"
# Where it fails on this or that only, its run without that says nothing.
_ALONE = (
    r"(?!\s+(?:on|when|whenever|if|where|for|as|unless|without|"
    r"with(?! an? \w*(?:Error|Exception)))\b)"
)
_SAID = (
    rf"\bpython3?\s+{{name}}\s+{_FAILS}\b{_ALONE}"
    rf"|(?<![\w./-]){{name}}[`'\"”]?\s+{_FAILS}\b{_ALONE}"
    rf"|(?<![\w./-]){{name}}[`'\"”]?\s+so that it (?:runs|works)\b{_ALONE}"
    rf"|\bso that [`'\"“]?{{name}}[`'\"”]?\s+(?:runs|works)\b{_ALONE}"
    rf"|\bmake\s+[`'\"“]?{{name}}[`'\"”]?\s+(?:run|work)\b{_ALONE}"
    r"|(?<![\w./-]){name}[`'\"”]?\s*(?:一?运行就|运行时)?(?:会)?(?:崩溃|跑不起来|无法运行|不能运行)"
)
# What waits, serves or plays does not end; what is to end badly, or not to be run, is not tried.
_OTHER = re.compile(
    r"\b(?:servers?|serves?|daemon|forever|interactive\w*|input\(|asks? for|prompts? for|player|"
    r"game|flask|django|fastapi|exit codes?|exits? with|non-?zero|usage|arguments?|stdin|"
    r"download\w*|api|http\w*)\b|(?:not|n't|never)\s+(?:be\s+)?(?:run|execute)\b"
    r"|服务|交互|游戏|退出码|非零|不要运行|别运行|下载|接口",
    re.IGNORECASE,
)


def scripts_to_run(goal: str, changes: Sequence[str]) -> list[Check]:
    """A check for each script that is to be changed so that it runs to its end.

    Args:
        goal: its own words.
        changes: the files that are there and that it wants changed.
    """
    if _OTHER.search(goal):
        return []
    found = []
    for path in changes:
        if not path.endswith(".py") or is_test_file(path):
            continue
        name = re.escape(path)
        command = re.search(_COMMAND.format(name=name), goal)
        if command or re.search(_SAID.format(name=name), goal, re.IGNORECASE):
            found.append(Check(kind="script_runs", path=path, text=_arguments(command)))
    return found


def _arguments(command: re.Match[str] | None) -> str:
    with suppress(ValueError):
        return shlex.join(shlex.split(command[1])) if command else ""
    return ""
