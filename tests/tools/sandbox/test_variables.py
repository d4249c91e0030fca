"""What is said of the variables in the line that failed."""

import pytest

from replan.tools.failure import failure
from replan.tools.sandbox.variables import describe

CASES = [
    (
        "import pandas as pd\n"
        "frame = pd.DataFrame({'region': ['a'], 'amount': [1]})\n"
        "for _, row in frame.iterrows():\n"
        "    print(row['total_amount'])",
        "KeyError: 'total_amount' (script.py line 4: print(row['total_amount'])); "
        "row is Series with keys 'region', 'amount'",
    ),
    (
        "import pandas as pd\nframe = pd.DataFrame({'a': [1, 2]})\nframe['b'].sum()",
        "KeyError: 'b' (script.py line 3: frame['b'].sum()); "
        "frame is DataFrame of 2 rows with columns 'a'",
    ),
    (
        "def f(record, key):\n    return record[key]\nf({'name': 1, 'age': 2}, 'nam')",
        "KeyError: 'nam' (script.py line 2: return record[key]); "
        "record is dict with keys 'name', 'age'; key is 'nam'",
    ),
    (
        "rows = [{'a': 1}, {'a': 2}]\nn = 2\nprint(rows[n])  # rows of what",
        "IndexError: list index out of range (script.py line 3: print(rows[n])  # rows of what); "
        "rows is [{'a': 1}, {'a': 2}]; n is 2",
    ),
    ("import json\njson.loads('x' * 3)", None),
    ("none = None\nnone.strip()", "(script.py line 2: none.strip()); none is None"),
    ("text = 'y' * 500\nint(\n    text,\n)", "(script.py line 2: int(); text is 'yyyyyyyyyyyy"),
]


@pytest.mark.parametrize(("code", "error"), CASES)
async def test_the_error_ends_with_them(call, code: str, error: str | None) -> None:
    seen = await call("python", code=code)
    assert not seen.ok
    if error is None:
        assert seen.error.endswith("(script.py line 2: json.loads('x' * 3))")
    else:
        assert error in seen.error
        assert len(seen.error) < 900


async def test_run_script_has_them_too(call, workspace) -> None:
    await workspace.write_text("near.py", "def f(n):\n    return 1 / n")
    await workspace.write_text("far.py", "import near\nnear.f(0)")
    seen = await call("run_script", path="far.py")
    assert seen.error.endswith("(near.py line 2: return 1 / n); n is 0")


async def test_a_plain_failure_says_nothing_of_variables() -> None:
    trace = 'Traceback (most recent call last):\n  File "s.py", line 1, in <module>\nKeyError: 1'
    assert failure(trace, {"s.py": "x[1]"}) == "KeyError: 1 (s.py line 1: x[1])"


class Hostile:
    def __repr__(self) -> str:
        raise RuntimeError("no")

    @property
    def shape(self) -> object:
        raise RuntimeError("no")


def test_it_never_raises_and_is_bounded() -> None:
    hostile, a, b, c, d, e, f, g = Hostile(), *(["z" * 200] for _ in range(7))
    try:
        raise_from = (a, b, c, d, e, f, g, 1 / 0)
        assert raise_from
    except ZeroDivisionError as error:
        said = describe(error.__traceback__)
    assert len(said) <= 500
    assert "g: " not in said
    with pytest.raises(RuntimeError) as caught:
        assert hostile.shape
    assert "hostile" not in describe(caught.tb)
    assert describe(None) == ""
