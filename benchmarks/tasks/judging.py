"""What the judges share: reading a workspace strictly, and saying in one line what is wrong.

A judge runs with the workspace as current folder. Every function here that finds something wrong
prints it and ends the process with 1.
"""

import atexit
import contextlib
import csv
import functools
import io
import json
import os
import runpy
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NoReturn

TASK = Path(sys.argv[0]).resolve().parent


def fail(message: str) -> NoReturn:
    """End with what is wrong."""
    print(" ".join(str(message).split())[:400])
    sys.exit(1)


def check(right: object, message: str) -> None:
    """End unless it is so."""
    if not right:
        fail(message)


def equal(found: object, wanted: object, what: str) -> None:
    """End unless both are the same."""
    if found != wanted:
        fail(f"{what}: {found!r} is not {wanted!r}")


def near(found: object, wanted: float, what: str, within: float = 0.0051) -> None:
    """End unless it reads as that number, up to rounding to two places."""
    try:
        number = float(str(found).strip())
    except ValueError:
        fail(f"{what}: {found!r} is no number")
    if not abs(number - wanted) <= within:
        fail(f"{what}: {found!r} is not {wanted}")


@functools.cache
def start() -> Path:
    """The workspace as it was given, made anew."""
    folder = Path(tempfile.mkdtemp(prefix="start-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    if (TASK / "files").is_dir():
        shutil.copytree(TASK / "files", folder, dirs_exist_ok=True)
    if (TASK / "make.py").exists():
        with contextlib.chdir(folder):
            runpy.run_path(str(TASK / "make.py"))
    return folder


def kept(*but: str) -> None:
    """End unless every file given is as it was, but those named."""
    for path in sorted(start().rglob("*")):
        name = path.relative_to(start()).as_posix()
        if path.is_file() and name not in but:
            here = Path(name)
            check(here.is_file() and here.read_bytes() == path.read_bytes(), f"{name} was changed")


def gone(*names: str) -> None:
    """End when one of them is there."""
    for name in names:
        check(not os.path.lexists(name), f"{name} is there")


def text(name: str | Path) -> str:
    """What a file holds, without a byte order mark; it must be there."""
    path = Path(name)
    check(path.is_file(), f"{name} is missing")
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        fail(f"{name} is no UTF-8 text")


def lines(name: str | Path) -> list[str]:
    """A file's lines without white space at their ends, nor empty ones at its end."""
    return [line.rstrip() for line in text(name).rstrip().splitlines()]


def given(name: str) -> str:
    """What a file held at the start."""
    return (start() / name).read_text(encoding="utf-8-sig")


def given_rows(name: str) -> list[dict[str, str]]:
    """The rows of a CSV file as it was at the start."""
    return list(csv.DictReader(io.StringIO(given(name))))


def table(name: str, header: Iterable[str]) -> list[list[str]]:
    """The cells of a CSV file's rows; its header must be this one."""
    found = [[cell.strip() for cell in row] for row in csv.reader(io.StringIO(text(name))) if row]
    wanted = list(header)
    check(found and found[0] == wanted, f"{name}: the header is {found[:1]}, not {wanted}")
    for row in found[1:]:
        check(len(row) == len(wanted), f"{name}: the row {row} has {len(row)} cells")
    return found[1:]


def data(name: str) -> Any:
    """What a JSON file holds."""
    try:
        return json.loads(text(name))
    except ValueError as error:
        fail(f"{name}: {error}")


def run(*arguments: str, said: str = "", code: int | None = 0) -> str:
    """What Python prints when it is run so, in a fresh process; its exit code must be `code`."""
    quiet = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": "", "PYTHONUTF8": "1"}
    try:
        done = subprocess.run(
            [sys.executable, "-B", *arguments],
            input=said,
            env=os.environ | quiet,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    except subprocess.TimeoutExpired:
        fail(f"{' '.join(arguments)[:80]}: no end after 30 s")
    if code is not None and done.returncode != code:
        why = (done.stderr or done.stdout)[-300:]
        fail(f"{' '.join(arguments)[:60]}: exit {done.returncode}: {why}")
    return done.stdout


def probe(script: str) -> None:
    """End unless a script holds, run beside the workspace's modules, to its last line."""
    said = run("-c", f"import sys; sys.path.insert(0, '')\n{script}\nprint('\\nall held')")
    check(said.rstrip().endswith("all held"), "the probe did not come to its end")


def tests(*names: str) -> None:
    """End unless these test files pass."""
    for name in names:
        check(Path(name).is_file(), f"{name} is missing")
        check("def test" in text(name), f"{name} holds no test")
    run(
        "-m",
        "pytest",
        "-q",
        "-x",
        "-p",
        "no:cacheprovider",
        "-c",
        os.devnull,
        "--rootdir=.",
        *names,
    )
