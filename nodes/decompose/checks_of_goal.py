"""Acceptance checks made from the goal's own words."""

from collections.abc import Mapping, Sequence

from replan.nodes.named_files import is_test_file
from replan.state.task import Check


def checks_of_files(
    writes: Sequence[str],
    protected: Sequence[str],
    goal: str,
    columns: Mapping[str, Sequence[str]] | None = None,
    tests_must_pass: bool = False,
) -> list[Check]:
    """Checks that need no opinion.

    Args:
        writes: paths that must be there in the end.
        protected: paths that must be as they were.
        goal: a column name counts only if the goal itself says it.
        columns: for a CSV path the header that the goal asks for.
        tests_must_pass: all tests of the workspace have to pass.
    """
    checks = [Check(kind="file_exists", path=path) for path in writes]
    for path, names in (columns or {}).items():
        asked = [name.strip() for name in names if name.strip()]
        # A model that is asked for a header invents one; what the goal does not say is no demand.
        if path in writes and len(asked) > 1 and _stand_together(asked, goal):
            checks.append(Check(kind="csv_columns", path=path, columns=asked))
    tests = [path for path in (*writes, *protected) if is_test_file(path)]
    if tests_must_pass and not tests:
        checks.append(Check(kind="tests_pass"))
    checks += [Check(kind="tests_pass", path=path) for path in tests]
    checks += [Check(kind="file_unchanged", path=path) for path in protected]
    return checks


def _stand_together(names: Sequence[str], goal: str) -> bool:
    """Whether the names stand in the goal one behind the other, as a header is written out."""
    letters = "".join(goal.lower().split())
    return any(
        mark.join(name.lower().replace(" ", "") for name in names) in letters
        for mark in (",", "、", "，", "and", ",and", "|", ";", "和")
    )
