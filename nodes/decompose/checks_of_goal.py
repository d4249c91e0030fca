"""Acceptance checks made from the goal's own words."""

import re
from collections.abc import Mapping, Sequence

from replan.nodes.decompose.each_file import checks_of_each
from replan.nodes.decompose.examples import calls_in, keys_in, names_as_keys
from replan.nodes.decompose.forms import forms_of, lines_of
from replan.nodes.decompose.moves import removes_only, renamed, to_be_gone, where_some_stay
from replan.nodes.decompose.parts import parts_of
from replan.nodes.decompose.rejected import accepted_in, rejected_in
from replan.nodes.decompose.scripts import scripts_to_run, scripts_to_write_and_run
from replan.nodes.named_files import is_test_file, named_files
from replan.state.task import Check


def checks_of_files(
    writes: Sequence[str],
    protected: Sequence[str],
    goal: str,
    tests: Sequence[str] = (),
    columns: Mapping[str, Sequence[str]] | None = None,
    tests_must_pass: bool = False,
    existing: Sequence[str] = (),
    changes: Sequence[str] = (),
) -> list[Check]:
    """Checks that need no opinion.

    Args:
        writes: paths that must be there in the end.
        protected: paths that must be as they were.
        goal: a column name counts only if the goal itself says it.
        tests: pytest files that the goal names; they have to pass.
        columns: for a CSV path the header that the goal asks for.
        tests_must_pass: all tests of the workspace have to pass.
        existing: the files that are there.
        changes: those of them that are to be changed.
    """
    checks = [Check(kind="file_exists", path=path) for path in writes]
    for path, names in (columns or {}).items():
        asked = _in_one_breath([name.strip() for name in names if name.strip()], goal)
        # A model that is asked for a header invents one; what the goal does not say is no demand.
        if path in writes and len(asked) > 1 and _stand_together(asked, goal):
            checks.append(Check(kind="csv_columns", path=path, columns=asked))
    # With several files that share the words, nobody can tell which of them is meant.
    about = {writes[0]: goal} if len(writes) == 1 else parts_of(goal, writes)
    for path, words in about.items():
        given = [one.columns for one in checks if one.kind == "csv_columns" and one.path == path]
        checks += _checks_of_words(path, words, given[0] if given else [], existing)
    checks += lines_of(goal, writes)
    checks += checks_of_each(goal, writes, existing, protected)
    moved = [path for path in renamed(goal, existing).values() if path not in writes]
    checks += [Check(kind="file_exists", path=path) for path in moved]
    checks += [Check(kind="gone", path=path) for path in to_be_gone(goal, existing)]
    if (folder := where_some_stay(goal, existing)) is not None and len(existing) > 1:
        checks.append(Check(kind="some_stay", path=folder))
    if not (writes or changes or moved) and removes_only(goal, existing):
        checks.append(Check(kind="only_removed"))
    if tests_must_pass and not tests:
        checks.append(Check(kind="tests_pass"))
    checks += [Check(kind="tests_pass", path=path) for path in tests]
    checks += [*scripts_to_run(goal, changes), *scripts_to_write_and_run(goal, writes)]
    checks += [Check(kind="file_unchanged", path=path) for path in protected]
    return checks


def _checks_of_words(
    path: str, words: str, columns: Sequence[str], existing: Sequence[str]
) -> list[Check]:
    """Checks of one new file, from the words that are about it alone."""
    checks: list[Check] = []
    if path.endswith(".csv") and (thing := counted_per(words)):
        checks.append(Check(kind="one_row_per", path=path, text=thing))
    if path.endswith(".json") and _TO_NUMBERS.search(words):
        checks.append(Check(kind="json_numbers", path=path))
    if path.endswith(".json") and (keys := keys_in(words) or names_as_keys(words, existing)):
        checks.append(Check(kind="json_keys", path=path, columns=keys))
    if path.endswith(".py"):
        calls = dict.fromkeys([*calls_in(words), *accepted_in(words), *rejected_in(words)])
        checks += [Check(kind="call_gives", path=path, text=call) for call in calls]
    return checks + forms_of(words, path, columns, named_files(words, existing))


def counted_per(goal: str) -> str:
    """What the goal wants one figure for each of: "city" for "the total sales per city".

    Returns:
        "" unless the goal says so plainly: the three largest orders per user are several rows, a
        figure per user and day has no single column to look at, and a new column of totals
        leaves the rows as they are.
    """
    if _COLUMN.search(goal):
        return ""
    if found := _FIGURE_PER.search(goal):
        return found.group(1)
    if len(_EACH_ZH.findall(goal)) == 1 and (found := _FIGURE_PER_ZH.search(goal)):
        return found.group(1)
    return ""


_COLUMN = re.compile(r"\bcolumns?\b|列", re.IGNORECASE)
_FIGURE_PER = re.compile(
    r"\b(?:totals?|sums?|counts?|number of|how many|how much|averages?|mean|median)\b"
    r"(?:(?!\bper\b|\bby\b|\beach\b|\bevery\b)[^.;:?!\n]){0,60}?"
    r"\b(?:per|for each|for every)\s+(?:the\s+|single\s+)?([^\W\d_]\w*)\b"
    # What may follow: nothing that makes it "user name", "user and day", "user by month".
    r"(?=\s*(?:$|[.;:!?)\n])|\s+(?:to|into|in|as|sorted|ordered)\b"
    r"|,?\s+(?:(?:and|then)\s+)*(?:write|save|store|put|sort|highest|lowest|largest|smallest|"
    r"sorted|ordered|descending|ascending)\b)",
    re.IGNORECASE,
)
_EACH_ZH = re.compile(r"[按每]")
_FIGURE_PER_ZH = re.compile(
    r"(?:按照?|每一?[个位条家]?)\s*([^\W\d_]{1,6}?)\s*(?:的)?(?:汇总|统计|求和|合计|总|平均)"
)


# "an object from file name to count", "a map of each city to its population size".
_TO_NUMBERS = re.compile(
    r"\b(?:object|map|mapping|dictionary|dict)\s+(?:from|of)\s+[^.;:,\n]{1,40}?\s+to\s+"
    r"(?:(?:its|their|the|a)\s+)?(?:\w+\s+)?"
    r"(?:counts?|numbers?|totals?|sums?|amounts?|sizes?|lengths?|averages?)\b(?!\s+of\s+each)"
    r"|到[^，。；\s]{0,6}?(?:数量|总数|次数|计数|总和|个数|字数|行数)的?(?:映射|对象|字典)",
    re.IGNORECASE,
)


def kept_files(goal: str, named: Sequence[str]) -> list[str]:
    """The named files of which the goal says in so many words that they must stay as they are."""
    return [
        path
        for path in named
        if re.search(_KEEP.format(name=re.escape(path)), goal, re.IGNORECASE)
        or re.search(_STAY.format(name=re.escape(path)), goal, re.IGNORECASE)
        or (is_test_file(path) and _TESTS_STAY.search(goal))
    ]


_TESTS_STAY = re.compile(
    r"(?:\b(?:without|not|never)|n't)\s+(?:chang(?:e|ing)|modify(?:ing)?|edit(?:ing)?|touch(?:ing)?|"
    r"alter(?:ing)?)\s+(?:(?:any of )?(?:the|any|these|those)\s+)?tests(?![\w/.])"
    r"(?!\s+(?:data|names?|suites?|folders?|that\b|which\b))|,\s*not the tests(?![\w/.])"
    r"|(?:不要?|不得|不可|别|勿)(?:修改|更改|改动|改变|编辑|动|改)测试(?!数据|名)",
    re.IGNORECASE,
)
_KEEP = (
    r"(?:without|not|never|n't|不要|不能|不得|不可|不|别|勿)\s*(?:be\s+)?"
    r"(?:chang|modif|edit|touch|alter|adapt|修改|更改|改动|改变|编辑|动|改)\w*\s*"
    r"(?:(?:the|any(?:thing)? (?:of|in)|文件|file)\s*)*[`'\"“]?(?<![A-Za-z0-9_.-]){name}"
)
_STAY = (
    r"(?:(?<![A-Za-z0-9_.-]){name}[`'\"”]?\s*(?:must|should|has to|stays?|remains?|may|保持)?\s*"
    r"(?:not (?:be )?(?:chang|modif|edit|touch|alter)|stay|remain|unchanged|as it is|不变|原样))"
)


def _in_one_breath(names: Sequence[str], goal: str) -> list[str]:
    """The names up to where a list such as a,b,c ends: "a,b,c, in this order" names three."""
    if len(names) < 2 or f"{names[0]},{names[1]}" not in goal:
        return list(names)
    end = max(end for end in range(2, len(names) + 1) if ",".join(names[:end]) in goal)
    return list(names[:end] if all(" " in name for name in names[end:]) else names)


def _stand_together(names: Sequence[str], goal: str) -> bool:
    """Whether the names stand in the goal one behind the other, as a header is written out."""
    letters = "".join(goal.lower().split())
    return any(
        mark.join(name.lower().replace(" ", "") for name in names) in letters
        for mark in (",", "、", "，", "and", ",and", "|", ";", "和")
    )
