"""Runs the checks that decide whether a task is done, and says what is there when one fails."""

import asyncio
import csv
import io
import json
import re
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from replan.state.task import Check, CheckResult
from replan.tools.bounds import named_up_to, storable
from replan.tools.call_checks import wrong_calls
from replan.tools.form_checks import FORMS, as_many_rows, no_figure
from replan.tools.formats import fault, first_lines, header
from replan.tools.listing import IGNORED
from replan.tools.protocol import ToolError
from replan.tools.pytest_run import run_pytest
from replan.tools.sandbox.protocol import Confinement
from replan.tools.script_check import fault_of_script
from replan.tools.text import decode
from replan.tools.workspace import Workspace

_DETAIL = 1500
_LISTED = 5
_NUMBER = re.compile(r"[+-]?\d+(?:[.,]\d+)?")
_READ = 20 * 1024 * 1024


async def run_checks(
    checks: Sequence[Check],
    workspace: Workspace,
    baseline: dict[str, str],
    seconds: float = 60.0,
    confinement: Confinement | None = None,
) -> list[CheckResult]:
    """The result of each check, in order. Nothing is raised for a check that cannot be made.

    Args:
        checks: what to test.
        workspace: where.
        baseline: `Workspace.hashes()` as it was at the start of the run.
        seconds: time that each test run may take.
        confinement: the sandbox of test runs; None for `auto`.
    """
    tested: dict[str, str] = {}
    called: dict[str, dict[str, str]] = {}
    results = []
    for check in checks:
        try:
            if check.kind == "tests_pass":
                if check.path not in tested:
                    tested[check.path] = await _tests(check, workspace, seconds, confinement)
                wrong = tested[check.path]
            elif check.kind == "script_runs":
                wrong = await fault_of_script(check, workspace, seconds, confinement)
            elif check.kind == "call_gives":
                if check.path not in called:
                    called[check.path] = await _calls(checks, check.path, workspace, confinement)
                wrong = called[check.path][check.text]
            elif check.kind == "workspace_changed":
                same = await workspace.digest() == check.text
                wrong = "no file has changed; printing is not doing" if same else ""
            elif check.kind == "file_unchanged":
                wrong = await _unchanged(check, workspace, baseline)
            elif check.kind == "gone" and "*" in check.path:
                wrong = _left_of(check.path, await workspace.files())
            elif check.kind == "some_stay":
                wrong = await _none_stayed(check, workspace, baseline)
            elif check.kind == "only_removed":
                wrong = not_only_removed(baseline, await workspace.hashes()) if baseline else ""
            else:
                wrong = await asyncio.to_thread(_file, check, workspace)
        except (ToolError, OSError) as error:
            wrong = getattr(error, "what", str(error))
        results.append(CheckResult(check=check, passed=not wrong, detail=storable(wrong)[:_DETAIL]))
    return results


async def _tests(
    check: Check, workspace: Workspace, seconds: float, confinement: Confinement | None
) -> str:
    if check.path and not await asyncio.to_thread(lambda: workspace.confine(check.path).exists()):
        return await asyncio.to_thread(_missing, check.path, workspace)
    report = await run_pytest(workspace, check.path, seconds, confinement)
    return "" if report.ok else report.text(_DETAIL)


async def _calls(
    checks: Sequence[Check], path: str, workspace: Workspace, confinement: Confinement | None
) -> dict[str, str]:
    """What is wrong with each call of the module; nothing is called where it is not there."""
    of = [check for check in checks if check.kind == "call_gives" and check.path == path]
    wrong = await asyncio.to_thread(_file, of[0], workspace)
    told = [wrong] * len(of) if wrong else await wrong_calls(of, workspace, confinement)
    return {check.text: one for check, one in zip(of, told, strict=True)}


async def _unchanged(check: Check, workspace: Workspace, baseline: dict[str, str]) -> str:
    path = await asyncio.to_thread(_normal, check.path, workspace)
    now, before = await workspace.hash(path), baseline.get(path, "")
    if now == before:
        return ""
    if not now:
        return "it is no longer there"
    return "its content has changed" if before else "it did not exist at the start"


def not_only_removed(before: Mapping[str, str], after: Mapping[str, str]) -> str:
    """Which files have another name where files were only to be removed; "" for none.

    Args:
        before: `Workspace.hashes()`.
        after: the same, now.
    """
    gone = {before[path] for path in before.keys() - after.keys()}
    new = [path for path in sorted(after.keys() - before.keys()) if after[path] in gone]
    told = f"{named_up_to(new, _LISTED)}: a new name; files are to be removed, and none renamed"
    return told if new else ""


async def _none_stayed(check: Check, workspace: Workspace, baseline: dict[str, str]) -> str:
    folder = f"{check.path.rstrip('/')}/" if check.path else ""
    before = [path for path in baseline if path.startswith(folder)]
    for path in before:
        if await workspace.hash(path) == baseline[path]:
            return ""
    return f"of the {len(before)} files not one is as it was" if before else ""


def _normal(path: str, workspace: Workspace) -> str:
    """The path as the baseline writes it."""
    workspace.confine(path)
    place = Path(path)
    return (place.relative_to(workspace.path) if place.is_absolute() else place).as_posix()


def _left_of(pattern: str, paths: Sequence[str]) -> str:
    """The files of a pattern that are still there, at any depth."""
    left = [path for path in paths if fnmatchcase(path, pattern)]
    folder, _, name = pattern.rpartition("/")
    finds = f"glob.glob({f'{folder}/**/{name}' if folder else f'**/{name}'!r}, recursive=True)"
    hidden = any(part.startswith(".") for path in left for part in path.split("/"))
    found = "" if hidden else f"; {finds} finds them"
    return f"still there: {named_up_to(left, _LISTED)}{found}" if left else ""


def _file(check: Check, workspace: Workspace) -> str:
    if not check.path.strip():
        return "the check names no file"
    file = workspace.confine(check.path)
    if check.kind == "gone":
        return "it is still there" if file.exists() else ""
    if not file.exists():
        return _missing(check.path, workspace)
    if file.is_dir():
        # `out.csv` as a folder is a mistake; `out` may be meant as one.
        folder_meant = check.kind == "file_exists" and not file.suffix
        return _folder(file) if folder_meant or check.path.endswith("/") else "it is a folder"
    if check.path.endswith("/"):
        return "it is a file, not a folder"
    data = workspace.read_bytes(check.path, _READ)
    if check.kind == "csv_columns":
        return _columns(check, data)
    if check.kind == "one_row_per":
        return _repeated_rows(check, data)
    if check.kind == "json_numbers":
        return _not_numbers(data)
    if check.kind == "file_contains":
        return _contains(check, data)
    if form := FORMS.get(check.kind):
        return form(check, data.decode("utf-8-sig", "replace"))
    if check.kind == "as_many_rows":
        return _as_many_rows(check, data, workspace)
    if len(data) == _READ:
        return ""  # too large to judge; it is there and has content
    return fault(check.path, data)


def _missing(path: str, workspace: Workspace) -> str:
    """There is no such file; perhaps it lies elsewhere, or has another name."""
    name = Path(path).name.casefold()
    parent = workspace.confine(path).parent
    beside = sorted(entry.name for entry in parent.iterdir()) if parent.is_dir() else []
    beside = [entry for entry in beside if entry not in IGNORED]
    near = [
        workspace.relative(found)
        for folder in (workspace.path, *_subfolders(workspace.path))
        for found in folder.iterdir()
        if found.name.casefold() == name
    ]
    if near:
        return f"it does not exist, but {', '.join(near[:3])} does"
    there = ", ".join(beside[:20])
    return f"it does not exist; its folder holds: {there}" if there else "it does not exist"


def _subfolders(folder: Path) -> list[Path]:
    found = [entry for entry in folder.iterdir() if entry.is_dir() and not entry.is_symlink()]
    return [entry for entry in sorted(found) if entry.name not in IGNORED][:50]


def _folder(folder: Path) -> str:
    return "" if any(entry.name not in IGNORED for entry in folder.iterdir()) else "it is empty"


def _columns(check: Check, data: bytes) -> str:
    text = data.decode("utf-8-sig", "replace")
    if not text.strip():
        return "it is empty"
    try:
        names = header(text)
    except csv.Error as error:
        return f"it is not valid CSV: {error}"
    wanted = [name.strip().casefold() for name in check.columns]
    if [name.casefold() for name in names] == wanted:
        return no_figure(text) if check.path.endswith(".csv") else ""
    found = ",".join(names)
    said = f"its first line is {found[:300]!r}, it has to be {','.join(check.columns)!r}"
    other = next((mark for mark in ";\t|" if len(names) == 1 and mark in names[0]), "")
    return f"{said}; separate the columns by commas, not by {other!r}" if other else said


def _repeated_rows(check: Check, data: bytes) -> str:
    """Whether what names the rows stands in more than one of them.

    Without a column for it nothing can be told, and nothing is held against the file.
    """
    text = io.StringIO(data.decode("utf-8-sig", "replace"), newline="")
    try:
        rows = [row for row in csv.reader(text) if row]
    except csv.Error as error:
        return f"it is not valid CSV: {error}"
    if not rows:
        return "it is empty"
    places = _columns_of(check.text, rows[0])
    if not places and any(_NUMBER.fullmatch(name.strip()) for name in rows[0]):
        return f"its first line holds no column names: {','.join(rows[0])[:100]}"
    wrong = ""
    for at in places:
        values = [row[at].strip() for row in rows[1:] if len(row) > at]
        if len(values) == len(set(values)):
            return ""
        wrong = (
            f"it has {len(values)} rows for {len(set(values))} different values of "
            f"{rows[0][at].strip()}; it has to have one row for each {check.text}"
        )
    return wrong


def _not_numbers(data: bytes) -> str:
    """Why this is not an object from names to numbers."""
    try:
        held = json.loads(data.decode("utf-8-sig", "replace"))
    except ValueError as error:
        return f"it is not valid JSON: {error}"
    if not isinstance(held, dict):
        return f"it holds {_JSON_NAMES[type(held)]}, not an object"
    for name, value in held.items():
        if isinstance(value, bool) or not isinstance(value, int | float):
            kind = _JSON_NAMES[type(value)]
            return f"behind {name[:60]!r} stands {kind}, not a number: {json.dumps(value)[:80]}"
    return ""


_JSON_NAMES: dict[type, str] = {
    dict: "an object",
    list: "a list",
    str: "a text",
    int: "a number",
    float: "a number",
    bool: "true or false",
    type(None): "null",
}


def _columns_of(thing: str, names: Sequence[str]) -> list[int]:
    """The columns that may name the thing: `user`, `Users`, `user_id`, `User name`."""
    name = re.compile(rf"{re.escape(thing)}s?(?:[ _-]?(?:id|no|nr|name|code|key))?", re.IGNORECASE)
    return [at for at, column in enumerate(names) if name.fullmatch(column.strip())]


def _as_many_rows(check: Check, data: bytes, workspace: Workspace) -> str:
    names = [check.text]
    if "*" in check.text:
        folder, _, pattern = check.text.rpartition("/")
        held = sorted(workspace.confine(folder or ".").glob(pattern))
        files = [one for one in held if one.is_file() and not one.name.startswith(".")]
        names = [name for one in files if (name := workspace.relative(one)) != check.path]
    held_by = [data, *(workspace.read_bytes(name, _READ) for name in names)]
    texts = [decode(one) for one in held_by]
    if any(one is None for one in texts) or any(len(one) == _READ for one in held_by):
        return ""  # not to be judged: no text, or too large
    return as_many_rows(check, *(one.text for one in texts if one is not None))


def _contains(check: Check, data: bytes) -> str:
    text = data.decode("utf-8-sig", "replace")
    if check.text in text:
        return ""
    if not text.strip():
        return "it is empty"
    wanted = " ".join(check.text.casefold().split())
    if wanted in " ".join(text.casefold().split()):
        return "it is there only with other capitals, spaces or line breaks"
    return f"it begins: {first_lines(text, 3)}"
