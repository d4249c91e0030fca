"""Scripts that a goal wants mended so that they run: what decides is their run."""

import re
from collections.abc import Sequence

from replan.nodes.decompose.parts import parts_of, places_of
from replan.nodes.named_files import is_test_file
from replan.state.task import Check, Task

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
            given = " ".join(command[1].split()) if command else ""
            found.append(Check(kind="script_runs", path=path, text=given))
    return found


# "Run both, one after the other."
_RUN_THEM = re.compile(
    r"\brun (?:it|both|them|all|each|the (?:two |three )?scripts?)\b|运行(?:它|这|两)",
    re.IGNORECASE,
)


def scripts_to_write_and_run(goal: str, new: Sequence[str]) -> list[Check]:
    """A check for each script that the goal wants written and run.

    Args:
        goal: its own words.
        new: the files that it wants made.
    """
    if _OTHER.search(goal) or not _RUN_THEM.search(goal):
        return []
    scripts = [path for path in new if path.endswith(".py") and not is_test_file(path)]
    return [Check(kind="script_runs", path=path) for path in scripts]


def tasks_of_scripts(goal: str, new: Sequence[str], checks: Sequence[Check]) -> list[Task]:
    """A task for each of several scripts that are written and run, with the files that its part of
    the goal names first; none where the goal does not part them.

    Args:
        goal: its own words.
        new: the files that it wants made.
        checks: those of `scripts_to_write_and_run` among them.
    """
    scripts = [one.path for one in checks if one.kind == "script_runs" and one.path in new]
    parts = parts_of(goal, scripts)
    made: set[str] = set()
    tasks = []
    for at, (script, part) in enumerate(parts.items(), 1):
        others = [path for path in new if path not in (*scripts, *made)]
        products = [path for path in others if places_of(path, part)]
        made.update(products)
        tasks.append(Task(id=f"t{at}", title=part, writes=[script, *products]))
    return tasks if made | set(scripts) == set(new) else []
