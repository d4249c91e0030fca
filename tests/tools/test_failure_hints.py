"""What a script's error is told with."""

from pathlib import Path

import pytest

from replan.tools.failure_hints import hint_for


@pytest.mark.parametrize(
    ("message", "hint"),
    [
        ("FileNotFoundError: [Errno 2] No such file or directory: 'b.txt'", "there is in/b.txt"),
        (
            "FileNotFoundError: [Errno 2] No such file or directory: 'out/c.txt'",
            "make the folder first: os.makedirs('out', exist_ok=True)",
        ),
        (
            "FileNotFoundError: [Errno 2] No such file or directory: 'in/b.txt' -> 'old/b.txt'",
            "make the folder first: os.makedirs('old', exist_ok=True)",
        ),
        ("FileNotFoundError: [Errno 2] No such file or directory: 'in/1.txt'", "in holds b.txt"),
        (
            "FileNotFoundError: [Errno 2] No such file or directory: 'in/b.txt' -> 'in/x/in/b.txt'",
            "the new path holds the old folder too: join it with os.path.basename(path)",
        ),
        ("FileNotFoundError: [Errno 2] No such file or directory: 'c.txt'", ""),
        (
            "OSError: [Errno 39] Directory not empty: 'in'",
            "in is not empty; shutil.rmtree only where all that is in it is to go",
        ),
        ("OSError: [Errno 39] Directory not empty: 'in' -> 'out'", ""),
        ("FileNotFoundError: [Errno 2] No such file or directory: '/etc/none'", ""),
        ("FileNotFoundError: [Errno 2] No such file or directory: '../none'", ""),
        ("FileNotFoundError: [Errno 2] No such file or directory: 'link/none'", ""),
        (f"FileNotFoundError: [Errno 2] No such file or directory: '{'a' * 300}/x'", ""),
        (
            "IsADirectoryError: [Errno 21] Is a directory: 'in'",
            "in is a folder, not a file: skip it unless os.path.isfile(path)",
        ),
        ("EOFError: EOF when reading a line", "nobody can answer input()"),
        ("KeyError: 'b'", ""),
    ],
)
def test_hints(tmp_path: Path, message: str, hint: str) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "b.txt").write_text("b")
    (tmp_path / "link").symlink_to("/etc")
    told = hint_for(message, tmp_path)
    assert told.startswith(hint)
    assert bool(told) == bool(hint)


def test_outside_a_workspace_nobody_looks_for_a_file() -> None:
    assert hint_for("FileNotFoundError: [Errno 2] No such file or directory: 'b.txt'") == ""
