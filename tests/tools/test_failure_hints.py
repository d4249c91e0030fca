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


@pytest.mark.parametrize(
    ("message", "line", "hint"),
    [
        (
            "KeyError: 'food'",
            "totals[row['name']] += float(row['price'])",
            "begin with 0 for a new key: totals[row['name']] = totals.get(row['name'], 0) + ...",
        ),
        (
            "KeyError: 'food'",
            "groups[kind].append(row)",
            "begin with an empty one for a new key: groups.setdefault(kind, []).append(...)",
        ),
        (
            "KeyError: 3",
            "groups[n].add(row)",
            "begin with an empty one for a new key: groups.setdefault(n, set()).add(...)",
        ),
        ("KeyError: 'price'", "totals[row['name']] += float(row['price'])", ""),
        ("KeyError: 'price'", "price = row['price']", ""),
        ("KeyError: 'a'", "stats[row['name']]['count'] += 1", ""),
        ("KeyError: 'a'", "a[x] = b[y]; c[z] += 1", ""),
        ("KeyError: 'a'", "groups[k] |= {x}", ""),
        ("KeyError: 'a'", "groups[k] += [x]", ""),
        ("KeyError: 'a'", "share[k] *= p", ""),
        ("KeyError: 'a'", "totals[names[code]] += n", ""),
        (
            "KeyError: 'a'",
            "if x: counts[word] += 1",
            "begin with 0 for a new key: counts[word] = counts.get(word, 0) + ...",
        ),
        ("ValueError: invalid literal for int() with base 10: '5k'", "int(x)", ""),
        ("ValueError: invalid literal for int() with base 10: 'year2023'", "int(x)", ""),
        ("ValueError: invalid literal for int() with base 10: '.5'", "int(x)", ""),
        (
            "TypeError: float() argument must be a string or a real number, not 'NoneType'",
            "float(row['x'])",
            "the value is missing: look whether the key is right, and skip rows that lack it",
        ),
        ("KeyError: 'food'", "", ""),
        (
            "ValueError: could not convert string to float: ''",
            "x = float(row['price'])",
            "some values are empty: skip them, or write float(row['price'] or 0) where they count "
            "as 0",
        ),
        ("ValueError: could not convert string to float: 'n/a'", "x = float(y)", ""),
        (
            "ValueError: invalid literal for int() with base 10: '01.txt'",
            "x = int(name)",
            "take the number out of it: int(re.search(r'-?\\d+', text).group()) of '01.txt'",
        ),
        ("ValueError: invalid literal for int() with base 10: '1-2'", "x = int(y)", ""),
    ],
)
def test_hints_about_the_line(message: str, line: str, hint: str) -> None:
    assert hint_for(message, None, f"script.py line 3: {line}") == hint
