"""What is in the workspace, in few words: the part of every prompt that says where one is."""

import asyncio
import re
from collections import Counter
from collections.abc import Sequence

from replan.nodes.briefing import marked
from replan.nodes.excerpt import excerpt
from replan.nodes.groups import groups_of_one_form, kind_of
from replan.nodes.json_outline import json_outline, way_to_pairs
from replan.nodes.name_facts import how_to_read, name_facts
from replan.nodes.named_files import is_test_file
from replan.nodes.records import describe_records
from replan.nodes.same_content import told_of_same_content
from replan.state.errors import ReplanError
from replan.tools.bounds import storable
from replan.tools.workspace import Workspace

_LISTED = 60
_TOTAL_CHARS = 7000
_WHOLE_CHARS = 6000
_CODE_CHARS = 2500
_HEAD_LINES = 4
_SHORT_LOG = 12
_MISSING = 3
_LINE_CHARS = 160
_FIRST_LOOKS = 4
_FEW_MEANT = 6
_MEANT_CHARS = 1500
_MOST_MEANT = 20
_MEANT_TOTAL = 2400
_EXAMPLE_CHARS = 1000
_LABELLED_CHARS = 400  # Where its labels are told, the rest of it may well be noise.
_NEAREST_CHARS = 1000
_NEAREST = "Of the rest of {path}, what is nearest to the goal"
_PAGE = 100
_MANY_RECORDS = 100
_RECORD_CHARS = 100
_FEW_SHAPES = 10
_READ = 200_000
_READ_JSON = 2_000_000
# How a survey marks lines that are for code to read, not for eyes.
DATA = "lines of data"
TABLES = (".csv", ".tsv", ".log", ".jsonl")
CODE = (".py", ".js", ".ts", ".sh", ".sql", ".c", ".java", ".go", ".rs", ".html", ".css")
ARCHIVES = (".zip", ".tar", ".tgz", ".gz", ".bz2", ".xz")
TEXT = (*TABLES, *CODE, ".md", ".txt", ".rst", ".json", ".xml", ".toml", ".ini", ".yaml", ".yml")


async def survey(
    workspace: Workspace,
    named: Sequence[str],
    meant: Sequence[str] = (),
    goal: str = "",
    missing: Sequence[str] = (),
    nearest: bool = True,
) -> str:
    """Lists the files and shows the ones that matter.

    Files that the goal names, and small projects with tests, are shown whole as far as room
    allows; of tables and long files the first lines: a small model that has seen the columns
    does not invent them. Of other files a few are shown by their first lines, of each kind and
    folder one: who has seen one invoice knows how to read them all.

    Args:
        workspace: where the files are.
        named: the files to show first.
        meant: files that words of the goal mean, by name or by folder; shown next, if they are not
            many, or all of them together are short.
        goal: its words.
        missing: folders that the goal names and that are not there yet.
        nearest: of long texts that the goal names or means, show the lines nearest to it.
    """
    paths = await workspace.files()
    if not paths:
        return "The workspace is empty."
    lines = ["Files in the workspace: " + ", ".join(paths[:_LISTED])]
    if len(paths) > _LISTED:
        lines.append(f"(and {len(paths) - _LISTED} more)")
    lines += [
        f"There is no folder {folder}/ yet: os.makedirs({folder!r}, exist_ok=True) makes it."
        for folder in missing[:_MISSING]
    ]
    lines += [*name_facts(paths), *how_to_read(paths)]
    room = _TOTAL_CHARS
    whole = _worth_reading(paths, named)
    meant = [path for path in meant if path not in whole]
    texts = [path for path in paths if path.endswith(TEXT)]
    groups = await groups_of_one_form(workspace, texts, goal)
    lines += [group.told for group in groups]
    lines += await told_of_same_content(goal, workspace.hashes)
    others = {path for group in groups for path in group.others}
    # Of those with a value that the goal names, the others could only lead astray.
    apart = {path for group in groups if group.wanted for path in group.others}
    meant = [path for path in meant if path not in apart]
    if len(meant) > _FEW_MEANT:
        meant = [path for path in meant if path not in others]
        meant = meant if await _little(workspace, meant) else []
    looks = _worth_a_look([path for path in paths if path not in others], [*whole, *meant])
    labelled = {group.first for group in groups if group.labels}
    most = {
        **dict.fromkeys(meant, _MEANT_CHARS),
        **{group.first: _LABELLED_CHARS if group.labels else _EXAMPLE_CHARS for group in groups},
        **dict.fromkeys(whole, _WHOLE_CHARS),
    }
    # In the order of their names: a small model takes over the order that it sees.
    for path in [*whole, *sorted([*meant, *looks])]:
        asked = path in whole or (path in meant and path not in labelled)
        about = goal if nearest and asked else ""
        shown = await _show(workspace, path, min(room, most.get(path, 0)), about)
        if shown and len(shown) <= room:
            lines.append(shown)
            room -= len(shown)
    return "\n".join(lines)


def shows_whole(survey: str, path: str) -> bool:
    """Whether all that the file holds stands in the survey."""
    return f"\n{path} holds:" in survey


def is_new(survey: str, path: str) -> bool:
    """Whether the file was not there when the survey was made, for certain."""
    listed = _FILES.search(survey)
    if listed is None:
        return "The workspace is empty." in survey
    return path not in listed[1].split(", ") and not listed[2]


_FILES = re.compile(r"^Files in the workspace: (.*)$(\n\(and \d+ more\)$)?", re.MULTILINE)


def is_told_nearest(survey: str, path: str) -> bool:
    """Whether the survey has the lines of a long text that are nearest to the goal; read from its
    beginning, a page at a time, it is mostly something else.
    """
    begins = re.search(rf"^{re.escape(path)} begins \((\d+) lines\):", survey, re.MULTILINE)
    long = begins is not None and int(begins[1]) > _PAGE
    return long and _NEAREST.format(path=path) in survey


async def _little(workspace: Workspace, paths: Sequence[str]) -> bool:
    """Whether the files hold little, all in all."""
    if len(paths) > _MOST_MEANT:
        return False
    size = 0
    for path in paths:
        try:
            size += len(await workspace.read_text(path, _MEANT_TOTAL + 1))
        except ReplanError:
            continue
        if size > _MEANT_TOTAL:
            return False
    return True


def _worth_reading(paths: Sequence[str], named: Sequence[str]) -> list[str]:
    first = [path for path in named if path in paths]
    tests = [path for path in paths if is_test_file(path)]
    # Beside a test stands what it tests; in a small project that is the file to mend.
    code = [path for path in paths if path.endswith(".py")] if tests and len(paths) <= 12 else []
    return list(dict.fromkeys([*first, *tests[:3], *code[:4]]))


def _worth_a_look(paths: Sequence[str], whole: Sequence[str]) -> list[str]:
    """A few more: of each kind and folder the first; the others only where there are not many."""
    rest = [path for path in paths if path not in whole and path.endswith(TEXT)]
    first: dict[tuple[str, str], str] = {}
    for path in rest:
        first.setdefault(kind_of(path), path)
    others = rest if len(rest) <= 2 * _FIRST_LOOKS else []
    return list(dict.fromkeys([*first.values(), *others]))[:_FIRST_LOOKS]


async def _show(workspace: Workspace, path: str, most: int, goal: str) -> str:
    if not path.endswith(TEXT):
        return ""
    try:
        text = storable(await workspace.read_text(path, _READ))
    except ReplanError as error:  # a file that cannot be read is no reason to stop the run
        return f"{path}: {error.what}"
    whole = min(most, _CODE_CHARS) if path.endswith(CODE) else most
    rows = text.splitlines()
    few = path.endswith(".log") and len(rows) <= _SHORT_LOG  # of a crash, say: for eyes
    lines = not path.endswith(CODE) and _all_alike(path, rows)
    data = (path.endswith(TABLES) and not few) or lines
    if len(text) <= whole and not data:
        way = await asyncio.to_thread(way_to_pairs, text) if path.endswith(".json") else ""
        return f"{path} holds:\n{text.rstrip()}" + (f"\n({way})" if way else "")
    head = "\n".join(row[:_LINE_CHARS] for row in rows[:_HEAD_LINES])
    if len(rows) <= _HEAD_LINES and all(len(row) <= _LINE_CHARS for row in rows):
        return f"{path} holds:\n{head}"
    if path.endswith(".json"):
        if outline := await _outline(workspace, path, text):
            return f"{path} begins ({len(rows)} {DATA}):\n{outline}"
        data = False
    begins = f"{path} begins ({len(rows)} {DATA if data else 'lines'}):\n{head}\n..."
    if data:
        return f"{begins}\n{describe_records(path, rows)}"
    if goal and not path.endswith(CODE):
        rest = "\n".join(rows[_HEAD_LINES:])
        nearest = await asyncio.to_thread(excerpt, rest, goal, _NEAREST_CHARS)
        return f"{begins}\n{marked(nearest, _NEAREST.format(path=path))}"
    return begins


async def _outline(workspace: Workspace, path: str, text: str) -> str:
    """How to get at what a JSON file holds; of a long one more is read than of a text."""
    if len(text) >= _READ:
        text = await workspace.read_text(path, _READ_JSON)
    return await asyncio.to_thread(json_outline, text) if len(text) < _READ_JSON else ""


def _all_alike(path: str, rows: Sequence[str]) -> bool:
    """Whether the lines are records, such as a log's, rather than sentences: most begin alike, or
    of many short ones each begins in one of a few ways.
    """
    held = [row for row in rows if row.strip()]
    shapes = Counter(_WORD.sub("#", row.split(" ", 1)[0]) for row in held[:50])
    if len(rows) >= 20 and max(shapes.values(), default=0) >= 0.8 * sum(shapes.values()):
        return True
    if not path.endswith((".txt", ".log")) or len(held) < _MANY_RECORDS:
        return False
    # Who speaks is no kind of record, and no more is an item, or a line that goes on.
    records = all(len(row) <= _RECORD_CHARS and row[0].isalnum() for row in held)
    spoken = any(shape.endswith((":", "：")) for shape in shapes)
    return records and not spoken and len(shapes) <= _FEW_SHAPES


_WORD = re.compile(r"\d+")
