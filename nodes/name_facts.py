"""What the names of many files hold, in code that a script can take over.

A small model that is to go by the dates in names goes by the files' times instead, and a listing
of many names does not tell it where in them the date stands.
"""

import re
from collections.abc import Sequence

_MANY = 4
_FACTS = 3
_DATES = (
    r"\d{4}-\d\d-\d\d",
    r"\d{4}_\d\d_\d\d",
    r"(?<!\d)20\d{6}(?!\d)",
    r"(?<!\d)\d{4}-\d\d(?!\d)",
)


_NUMBERED = re.compile(r"\D*\d{1,6}\D*")


def name_facts(paths: Sequence[str]) -> list[str]:
    """A line for each folder of which all names hold a date of one form or a number, at most three.

    Args:
        paths: the files of the workspace.
    """
    names: dict[str, list[str]] = {}
    for path in paths:
        folder, _, name = path.rpartition("/")
        names.setdefault(folder, []).append(name)
    told = []
    for folder, of in names.items():
        if len(of) >= _MANY and (line := _fact_of(folder, of)):
            told.append(line)
    return told[:_FACTS]


def _fact_of(folder: str, names: Sequence[str]) -> str:
    each = f"Each name in {folder}/ holds" if folder else "Each name holds"
    for form in _DATES:
        found = re.search(form, names[0])
        if found and all(re.search(form, name) for name in names):
            return (
                f"{each} a date: re.search(r'{form}', name).group() is "
                f"{found.group()!r} for name {names[0]!r}"
            )
    # In "01.txt" it is no matter of taste: written as 1, the file is not found.
    if _differ_by_number(names):
        number = int(re.findall(r"\d+", names[0])[0])
        return (
            f"{each} a number: int(re.search(r'\\d+', name).group()) is {number} "
            f"for name {names[0]!r}"
        )
    return ""


def _differ_by_number(names: Sequence[str]) -> bool:
    """Whether each holds one number and they are alike but for it: "01spring" is more than that,
    and who is told of its number takes that for the name.
    """
    alike = {re.sub(r"\d+", "", name) for name in names}
    return len(alike) == 1 and all(_NUMBERED.fullmatch(name) for name in names)


def how_to_read(paths: Sequence[str]) -> list[str]:
    """A line for files of a form that Python's own library reads: by hand a small model reads them
    half.
    """
    if not any(path.endswith(".ini") for path in paths):
        return []
    return [
        "Read an .ini file by: config = configparser.ConfigParser(interpolation=None); "
        "config.read(path); all = {name: dict(config[name]) for name in config.sections()}"
    ]
