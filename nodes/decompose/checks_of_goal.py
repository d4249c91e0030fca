"""Acceptance checks made from the goal's own words."""

import re
from collections.abc import Mapping, Sequence

from replan.state.task import Check


def checks_of_files(
    writes: Sequence[str],
    protected: Sequence[str],
    goal: str,
    tests: Sequence[str] = (),
    columns: Mapping[str, Sequence[str]] | None = None,
    tests_must_pass: bool = False,
) -> list[Check]:
    """Checks that need no opinion.

    Args:
        writes: paths that must be there in the end.
        protected: paths that must be as they were.
        goal: a column name counts only if the goal itself says it.
        tests: pytest files that the goal names; they have to pass.
        columns: for a CSV path the header that the goal asks for.
        tests_must_pass: all tests of the workspace have to pass.
    """
    checks = [Check(kind="file_exists", path=path) for path in writes]
    for path, names in (columns or {}).items():
        asked = [name.strip() for name in names if name.strip()]
        # A model that is asked for a header invents one; what the goal does not say is no demand.
        if path in writes and len(asked) > 1 and _stand_together(asked, goal):
            checks.append(Check(kind="csv_columns", path=path, columns=asked))
    if tests_must_pass and not tests:
        checks.append(Check(kind="tests_pass"))
    checks += [Check(kind="tests_pass", path=path) for path in tests]
    checks += [Check(kind="file_unchanged", path=path) for path in protected]
    return checks


def kept_files(goal: str, named: Sequence[str]) -> list[str]:
    """The named files of which the goal says in so many words that they must stay as they are."""
    return [
        path
        for path in named
        if re.search(_KEEP.format(name=re.escape(path)), goal, re.IGNORECASE)
        or re.search(_STAY.format(name=re.escape(path)), goal, re.IGNORECASE)
    ]


_KEEP = (
    r"(?:without|not|never|n't|不要|不能|不得|不可|不|别|勿)\s*(?:be\s+)?"
    r"(?:chang|modif|edit|touch|alter|adapt|修改|更改|改动|改变|编辑|动|改)\w*\s*"
    r"(?:(?:the|any(?:thing)? (?:of|in)|文件|file)\s*)*[`'\"“]?(?<![A-Za-z0-9_.-]){name}"
)
_STAY = (
    r"(?:(?<![A-Za-z0-9_.-]){name}[`'\"”]?\s*(?:must|should|has to|stays?|remains?|may|保持)?\s*"
    r"(?:not (?:be )?(?:chang|modif|edit|touch|alter)|stay|remain|unchanged|as it is|不变|原样))"
)


def _stand_together(names: Sequence[str], goal: str) -> bool:
    """Whether the names stand in the goal one behind the other, as a header is written out."""
    letters = "".join(goal.lower().split())
    return any(
        mark.join(name.lower().replace(" ", "") for name in names) in letters
        for mark in (",", "、", "，", "and", ",and", "|", ";", "和")
    )
