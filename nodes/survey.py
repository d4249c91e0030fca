"""What is in the workspace, in few words: the part of every prompt that says where one is."""

from collections.abc import Sequence

from replan.nodes.named_files import is_test_file
from replan.tools.workspace import Workspace

_LISTED = 60
_TOTAL_CHARS = 7000
_PROSE_CHARS = 6000
_CODE_CHARS = 2500
_TABLE_LINES = 4
_LINE_CHARS = 160
_TABLES = (".csv", ".tsv", ".log", ".jsonl")
_CODE = (".py", ".js", ".ts", ".sh", ".sql", ".toml", ".cfg", ".ini", ".yaml", ".yml")
_PROSE = (".md", ".txt", ".rst")


async def survey(workspace: Workspace, named: Sequence[str]) -> str:
    """Lists the files and shows the ones that matter.

    Shown are the files the goal names, tests, and the first lines of tables. Prose and code are
    shown whole as far as room allows, tables by their first lines: a small model that has seen
    the columns does not invent them.
    """
    paths = await workspace.files()
    if not paths:
        return "The workspace is empty."
    lines = ["Files in the workspace: " + ", ".join(paths[:_LISTED])]
    if len(paths) > _LISTED:
        lines.append(f"(and {len(paths) - _LISTED} more)")
    room = _TOTAL_CHARS
    for path in _worth_showing(paths, named):
        shown = await _show(workspace, path, room)
        if shown:
            lines.append(shown)
            room -= len(shown)
        if room < 200:
            break
    return "\n".join(lines)


def _worth_showing(paths: Sequence[str], named: Sequence[str]) -> list[str]:
    first = [path for path in named if path in paths]
    tests = [path for path in paths if is_test_file(path)]
    # Beside a test stands what it tests; in a small project that is the file to mend.
    code = [path for path in paths if path.endswith(".py")] if tests and len(paths) <= 12 else []
    tables = [path for path in paths if path.endswith(_TABLES)][:4]
    return list(dict.fromkeys([*first, *tests[:3], *code[:4], *tables]))


async def _show(workspace: Workspace, path: str, room: int) -> str:
    most = _CODE_CHARS if path.endswith(_CODE) else _PROSE_CHARS
    if path.endswith(_TABLES):
        most = _TABLE_LINES * _LINE_CHARS * 2
    elif not path.endswith((*_CODE, *_PROSE, ".json", ".html", ".xml")):
        return ""
    try:
        text = await workspace.read_text(path, _PROSE_CHARS + 1)
    except Exception as error:  # a file that cannot be read is no reason to stop the run
        return f"{path}: cannot be read ({error})"
    rows = text.splitlines()
    if path.endswith(_TABLES):
        head = "\n".join(row[:_LINE_CHARS] for row in rows[:_TABLE_LINES])
        more = "\n..." if len(rows) > _TABLE_LINES else ""
        return f"{path} begins:\n{head}{more}"
    most = min(most, room)
    if len(text) <= most:
        return f"{path} holds:\n{text.rstrip()}"
    return f"{path} begins (read_file shows the rest):\n{text[:most].rstrip()}\n..."
