"""Edits: all or none, only what is there once, and never a broken file out of a whole one."""

import pytest

from replan.tools.edit import edited
from replan.tools.protocol import ToolError
from replan.tools.workspace import Workspace

CODE = "def f(a):\n    return a - 1\n\n\ndef g(a):\n    return a\n"


def edit(old: str, new: str) -> dict[str, str]:
    return {"old": old, "new": new}


async def test_lines_are_replaced(call, workspace: Workspace) -> None:
    await workspace.write_text("a.py", CODE)
    edits = [edit("    return a - 1", "    return a + 1"), edit("def g(a):", "def g(a, b=0):")]
    seen = await call("edit_file", path="a.py", edits=edits)
    assert (seen.ok, seen.changed, seen.text) == (True, ["a.py"], "edited a.py in 2 places")
    text = (workspace.path / "a.py").read_text()
    assert text == CODE.replace("a - 1", "a + 1").replace("g(a)", "g(a, b=0)")


async def test_a_line_that_is_part_of_another_is_no_doubt(call, workspace: Workspace) -> None:
    await workspace.write_text("a.txt", "one\none more\n")
    assert (await call("edit_file", path="a.txt", edits=[edit("one", "two")])).ok
    assert (workspace.path / "a.txt").read_text() == "two\none more\n"


@pytest.mark.parametrize(
    ("text", "old", "new", "after"),
    [
        ("a\n    b\n", "    b", "c\nif d:\n    e", "a\n    c\n    if d:\n        e\n"),
        ("a\n    b\n", "    b", "  c", "a\n  c\n"),
        ("a\r\nb\r\n", "a\nb", "c\nd", "c\r\nd\r\n"),
        ("only", "only", "this", "this"),
        ("a\nb\nc\n", "b", "", "a\nc\n"),
        ("a\nb", "b", "", "a\n"),
        ("a b", "b", "", "a "),
        ("a b c", "b", "x", "a x c"),
        ("a\nb\n", "a\nb", "c", "c\n"),
        ("\ufeffa\nb\n", "b", "c", "\ufeffa\nc\n"),
    ],
)
def test_edited(text: str, old: str, new: str, after: str) -> None:
    assert edited(text, [(old, new)], "a.txt") == after


@pytest.mark.parametrize(
    ("edits", "why"),
    [
        ([edit("return b", "return c")], "'return b' is not in a.py"),
        ([edit("return a", "return c")], "is in a.py 2 times"),
        ([edit("def f(a):", "def f(a):")], "change nothing"),
        ([edit("def f(a):", "def f(a")], "would be broken: SyntaxError"),
        ([edit("    return a - 1", "    return 1"), edit("no", "yes")], "'no' is not in"),
        ([edit("def f(a):\n    return a - 1", "x = 1"), edit("    return a - 1", "")], "same text"),
        ([], "wrong arguments"),
        ([{"old": "x"}], "wrong arguments"),
    ],
)
async def test_what_cannot_be_done_changes_nothing(
    call, workspace: Workspace, edits: list[dict[str, str]], why: str
) -> None:
    await workspace.write_text("a.py", CODE)
    seen = await call("edit_file", path="a.py", edits=edits)
    assert not seen.ok
    assert why in seen.error
    assert (workspace.path / "a.py").read_text() == CODE


async def test_a_broken_file_may_be_edited(call, workspace: Workspace) -> None:
    await workspace.write_text("a.py", "def f(:\n    return (1\n")
    seen = await call("edit_file", path="a.py", edits=[edit("def f(:", "def f():")])
    assert seen.ok
    assert "but SyntaxError" in seen.text


async def test_files_that_are_not_to_be_edited(call, workspace: Workspace) -> None:
    await workspace.write_text("a.txt", "a\n")
    (workspace.path / "b.bin").write_bytes(b"\xff\xfea")
    edits = [edit("a", "b")]
    kept = await call("edit_file", path="./a.txt", edits=edits, protected=["a.txt"])
    assert "must not be changed" in kept.error
    assert "is not text" in (await call("edit_file", path="b.bin", edits=edits)).error
    assert "does not exist" in (await call("edit_file", path="no.txt", edits=edits)).error
    assert "outside the workspace" in (await call("edit_file", path="../x", edits=edits)).error
    assert (workspace.path / "a.txt").read_text() == "a\n"


def test_lines_can_change_places_but_equal_neighbours_cannot_be_told_apart() -> None:
    assert edited("a\nb\nc\n", [("a", "b"), ("b", "a")], "a.txt") == "b\na\nc\n"
    with pytest.raises(ToolError, match="2 times"):
        edited("a\nx\nx\nb\n", [("x", "y")], "a.txt")
