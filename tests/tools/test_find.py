"""Searching by name and by content: right, bounded, and never for long."""

import asyncio
import time
from pathlib import Path

import pytest

from replan.tools.workspace import Workspace


@pytest.fixture
def tree(workspace: Workspace) -> Workspace:
    texts = {
        "Readme.md": "# Title\nfind me here\n",
        "src/app.py": "import os\n\n\ndef find(me):\n    return me\n",
        "src/deep/app_test.py": "def test_find():\n    pass\n",
        "docs/a.md": "nothing\n",
        ".git/find.md": "find me\n",
    }
    for path, text in texts.items():
        workspace.write_bytes(path, text.encode())
    workspace.write_bytes("docs/latin.txt", "Straße: find me für später\n".encode("cp1252"))
    workspace.write_bytes("data.bin", b"find\0me")
    return workspace


@pytest.mark.parametrize(
    ("files", "found"),
    [
        ("*.md", "Readme.md docs/a.md"),
        ("readme*", "Readme.md"),
        ("app.py", "src/app.py"),
        ("src/*.py", "src/app.py"),
        ("src/**", "src/app.py src/deep/app_test.py"),
        ("src/", "src/app.py src/deep/app_test.py"),
        ("./src/**/*.py", "src/app.py src/deep/app_test.py"),
        ("**/*_test.py", "src/deep/app_test.py"),
        ("**/deep/*", "src/deep/app_test.py"),
        ("?ata.[bc]in", "data.bin"),
        ("docs/latin.txt", "docs/latin.txt"),
    ],
)
async def test_names(call, tree: Workspace, files: str, found: str) -> None:
    seen = await call("search_files", files=files, text="")
    assert seen.text.split("\n") == found.split()


@pytest.mark.parametrize(
    ("files", "text", "found"),
    [
        ("*", r"find.?me", "Readme.md:2: find me here\n"
            "docs/latin.txt:1: Straße: find me für später\nsrc/app.py:4: def find(me):"),
        ("*.py", r"^def \w+", "src/app.py:4: def find(me):\n"
            "src/deep/app_test.py:1: def test_find():"),
        ("*.py", r"\bme$", "src/app.py:5: return me"),
        ("*.md", "(?i)TITLE", "Readme.md:1: # Title"),
        ("*", "für", "docs/latin.txt:1: Straße: find me für später"),
        ("*.md", "xyz", "no line of 2 files matches"),
    ],
)  # fmt: skip
async def test_lines(call, tree: Workspace, files: str, text: str, found: str) -> None:
    seen = await call("search_files", files=files, text=text)
    assert (seen.ok, seen.text) == (True, found)


@pytest.mark.parametrize(
    ("files", "text", "why"),
    [
        ("*.pdf", "", "a file named *.pdf does not exist"),
        ("*", "(", "'(' is no regular expression: missing )"),
        ("../*", "x", "outside the workspace"),
        ("/etc/*", "root", "outside the workspace"),
        ("a\0", "x", "NUL"),
        ("x" * 201, "x", "wrong arguments"),
        ("*", "x" * 301, "wrong arguments"),
    ],
)
async def test_what_cannot_be_searched(
    call, tree: Workspace, files: str, text: str, why: str
) -> None:
    seen = await call("search_files", files=files, text=text)
    assert not seen.ok
    assert why in seen.error


async def test_results_are_bounded(call, workspace: Workspace) -> None:
    for number in range(250):
        workspace.write_bytes(f"f{number:03}.txt", b"hit\n" * 20 + b"long " * 1000 + b"hit\n")
    names = (await call("search_files", files="*", text="")).text
    assert names.count("\n") == 200
    assert names.endswith("(and 50 more)")
    lines = (await call("search_files", files="*", text="hit")).text.split("\n")
    assert lines[:2] == ["f000.txt:1: hit", "f000.txt:2: hit"]
    assert lines[10] == "f000.txt: more lines"
    assert lines[-1] == "[the first 60; there are more: narrow the search]"
    long = (await call("search_files", files="f000.txt", text="long")).text
    assert long.startswith("f000.txt:21: long long")
    assert len(long) < 300


async def test_a_catastrophic_expression_is_stopped(call, workspace: Workspace) -> None:
    """It runs into the limit, and meanwhile the event loop goes on."""
    workspace.write_bytes("a.txt", b"x" * 5000)
    turns = 0

    async def turn() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0.01)
            turns += 1

    other = asyncio.create_task(turn())
    began = time.monotonic()
    seen = await call("search_files", files="*", text=r"(?:(x+x+)+y)|(x*)*z\2", seconds=1)
    other.cancel()
    assert "the search was stopped in a.txt after 0 of 1 files" in seen.error
    assert 0.9 < time.monotonic() - began < 4
    assert turns > 20


async def test_a_catastrophic_name_pattern_is_none(call, workspace: Workspace) -> None:
    folders = "/".join("a" * 60)
    workspace.write_bytes(f"{folders}/{'a' * 200}", b"x")
    began = time.monotonic()
    for files in ("**/" * 60 + "b", "*a" * 80 + "b", "**/*a*a*a*a/" * 15 + "*"):
        assert not (await call("search_files", files=files, text="")).ok
    assert time.monotonic() - began < 2


async def test_links_are_not_followed(call, workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "far.md").write_text("secret")
    (workspace.path / "link.md").symlink_to(tmp_path / "far.md")
    (workspace.path / "folder").symlink_to(tmp_path)
    seen = await call("search_files", files="*", text="secret")
    assert seen.text == "no line of 2 files matches"
