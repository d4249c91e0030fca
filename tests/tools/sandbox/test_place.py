"""Where a script was when its time was up, and how a failure is told to the model."""

from pathlib import Path

import pytest

from replan.state.task import Action
from replan.tools.toolbox import Toolbox
from replan.tools.workspace import Workspace

TABLE = (
    "import pandas\n"
    "frame = pandas.DataFrame({'town': ['a', 'b'], 'size': [1, 2]})\n"
    "for _, row in frame.iterrows():\n"
    "    print(row['town'], row['population'])\n"
)


async def error_of(code: str, folder: Path) -> str:
    workspace = Workspace(folder)
    seen = await Toolbox(workspace).call(Action(tool="python", args={"code": code}))
    assert not seen.ok
    assert await workspace.files() == []
    return seen.error


async def test_a_wrong_column_is_told_with_the_right_ones(tmp_path: Path) -> None:
    error = await error_of(TABLE, tmp_path)
    assert error == (
        "KeyError: 'population' (script.py line 4: print(row['town'], row['population'])); "
        "row is Series with keys 'town', 'size'"
    )


async def test_the_innermost_line_of_the_script_counts(tmp_path: Path) -> None:
    code = "ages = {'ada': 36}\ndef age(name):\n    return ages[name]\nprint(age('bob'))\n"
    error = await error_of(code, tmp_path)
    assert error.endswith("return ages[name]); ages is dict with keys 'ada'; name is 'bob'")


async def test_an_error_in_a_library_is_told_by_the_line_that_called_it(tmp_path: Path) -> None:
    lines = (
        "from datetime import datetime",
        "parts = ['x', 'May']",
        "datetime.strptime(parts[0], '%H')",
    )
    assert (await error_of("\n".join(lines), tmp_path)).endswith("; parts is ['x', 'May']")


RECURSIVE = (
    "def deep(n):\n    return n if n < 2 else deep(n - 1) + deep(n - 2)\n\nprint(deep(90))\n"
)
ENDLESS = "n = 1\nwhile n:\n    n += 1\n"
WAITING = "import time\nprint('begun', flush=True)\ntime.sleep(60)\n"


@pytest.mark.parametrize(
    ("code", "where"),
    [
        (
            RECURSIVE,
            "it was in script.py line 2: return n if n < 2 else deep(n - 1) + deep(n - 2); "
            "deep calls itself far too often: write it as a loop",
        ),
        (ENDLESS, "that never ends, or is far too slow: do it in a faster way"),
        (WAITING, "it was in script.py line 3: time.sleep(60); that never ends"),
    ],
)
async def test_what_ran_out_of_time_is_told_where_it_was(
    code: str, where: str, tmp_path: Path
) -> None:
    toolbox = Toolbox(Workspace(tmp_path))
    seen = await toolbox.call(Action(tool="python", args={"code": code}), seconds=1.5)
    assert seen.error.startswith("stopped by the time limit of 1.5 s; it was in script.py line ")
    assert where in seen.error
    assert seen.text in ("begun", "(nothing was printed)")


@pytest.mark.parametrize(
    "code",
    [
        "raise SystemExit('no')",
        "class Odd:\n    def __repr__(self):\n        raise ValueError\nodd = Odd()\nodd + 1",
        "import sys\nsys.excepthook = None\nx = 1\nx / 0",
    ],
)
async def test_it_never_adds_an_error_of_its_own(code: str, tmp_path: Path) -> None:
    error = await error_of(code, tmp_path)
    assert "variables" not in error
    assert "faulthandler" not in error
