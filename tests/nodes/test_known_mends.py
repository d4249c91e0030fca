"""Faults of a script that are put right without asking."""

import pytest

from replan.nodes.select_tool.known_mends import known_mend, remedy
from replan.state.task import Action, Attempt, Observation, Task

UNDEFINED = "NameError: name 'out' is not defined"
KEY = "KeyError: 'ann'"
NUMBER = "ValueError: invalid literal for int() with base 10: '01.txt'"
TAKEN = r"re.fullmatch(r'\D*?((?<!\w)-?\d+)\D*', {}).group(1)"
HINTS = {
    KEY: "begin with 0 for a new key: ...",
    NUMBER: "take the number out of it: int(...) of '01.txt'; name is '01.txt'",
}


def mend(code: str, error: str, line: int, earlier: str = "") -> str:
    said = code.splitlines()[line - 1].strip()
    told = f"{error} (script.py line {line}: {said})"
    told = f"{told}; {HINTS[error]}" if error in HINTS else told
    scripts = [one for one in (earlier, code) if one]
    attempts = [
        Attempt(
            action=Action(tool="python", args={"code": one}),
            observation=Observation(ok=False, error=told),
        )
        for one in scripts
    ]
    return known_mend(Task(id="t1", title="t", attempts=attempts))


@pytest.mark.parametrize(
    ("adds", "value"),
    [
        ("out = out + name.upper() + '-'", "''"),
        ("out += f'{name}, '", "''"),
        ("out += str(number)", "''"),
        ("out += len(name)", "0"),
        ("out -= 1", "0"),
        ("out += [name]", "[]"),
        ("out.append(name)", "[]"),
        ("out.add(name)", "set()"),
        ("out[name] = 1", "{}"),
    ],
)
def test_what_is_added_to_begins_before_the_loop(adds: str, value: str) -> None:
    loop = f"for a in b:\n    for name in a:\n        {adds}\nprint(out)\n"
    code, better = f"import os\n{loop}", f"import os\nout = {value}\n{loop}"
    assert mend(code, UNDEFINED, 4) == better
    assert mend(code, UNDEFINED, 4, earlier=better) == ""


def test_in_a_function_it_begins_there() -> None:
    code = "def f(b):\n    while b:\n        out += 1\n    return out\nfor x in y:\n    f(x)\n"
    error = "UnboundLocalError: cannot access local variable 'out' where it is not associated"
    assert mend(code, error, 3).startswith("def f(b):\n    out = 0\n    while b:\n")
    # It may be that one which is meant.
    assert mend(f"out = 0\n{code}", error, 4) == ""
    assert mend(f"out, n = 0, 0\n{code}", error, 4) == ""
    nested = "".join(f"    {line}\n" for line in code.splitlines())
    assert mend(f"def g():\n    out = 0\n{nested}", error, 5) == ""


def test_what_is_used_in_a_loop_begins_in_it() -> None:
    code = "for a in b:\n    for c in a:\n        out += len(c)\n    print(a, out)\n"
    better = "for a in b:\n    out = 0\n    for c in a:\n        out += len(c)\n    print(a, out)\n"
    assert mend(code, UNDEFINED, 3) == better


def test_a_line_behind_its_header_is_left() -> None:
    assert mend("if name: sums[name] += 1\n", KEY, 1) == ""
    assert mend("for name in names: sums[name] += 1\n", KEY, 1) == ""


@pytest.mark.parametrize(
    ("code", "line"),
    [
        ("for a in b:\n    print(out)\n", 2),  # nothing is added to it
        ("out += 1\n", 1),  # outside of a loop it is a fault of another kind
        ("for a in b:\n    out *= 2\n", 2),
        ("for a in b:\n    out = other + 1\n", 2),
        ("def f():\n    global out\n    for a in b:\n        out += 1\n", 4),
        ("for a in b:\n    out.sort()\nprint(out)\n", 2),
        ("total = 0\nfor a in b:\n    out += a\nprint(total)\n", 3),  # misspelt
        ("for a in b:\n    for c in a:\n        print(out)\n        out += c\n", 4),
    ],
)
def test_where_no_beginning_is_certain_there_is_none(code: str, line: int) -> None:
    assert mend(code, UNDEFINED, line) == ""


@pytest.mark.parametrize(
    ("line", "better"),
    [
        ("sums[name] += 1", "sums[name] = sums.get(name, 0) + (1)"),
        ("sums[name] -= a - b", "sums[name] = sums.get(name, 0) - (a - b)"),
        ("sums[name] += [n]", "sums[name] = sums.get(name, []) + ([n])"),
        ("sums[name].append(n)", "sums.setdefault(name, []).append(n)"),
        ("sums[name].add(n)", "sums.setdefault(name, set()).add(n)"),
        ("sums['ann'] += 1", ""),
        ("sums[row['x']] += 1", "sums[row['x']] = sums.get(row['x'], 0) + (1)"),
        ("sums[name] += row['x']", "sums[name] = sums.get(name, 0) + (row['x'])"),
        ("sums[rows[name]] += 1", ""),
        ("sums[name] += rows[name]", ""),
        ("sums[name] *= 2", ""),
        ("a.sums[name] += 1", ""),
        ("print(sums[name])", ""),
    ],
)
def test_a_new_key_begins_with_nothing(line: str, better: str) -> None:
    code = f"for name in names:\n    {line}\n"
    assert mend(code, KEY, 2) == (f"for name in names:\n    {better}\n" if better else "")


@pytest.mark.parametrize(
    ("line", "better"),
    [
        ("if int(name) % 2:", f"if int({TAKEN.format('name')}) % 2:"),
        ("if '数' or int(a.b(c)):", f"if '数' or int({TAKEN.format('a.b(c)')}):"),
        ("if int(a) + int(b):", ""),
        ("if int(a, 16):", ""),
    ],
)
def test_the_number_is_taken_out_of_a_text(line: str, better: str) -> None:
    found = mend(f"{line}\n    pass\n", NUMBER, 1)
    assert found == (f"{better}\n    pass\n" if better else "")


def test_other_faults_are_for_the_model() -> None:
    assert mend("x = 1 / 0\n", "ZeroDivisionError: division by zero", 1) == ""
    assert mend("sums[name] += 1\n", "KeyError: 7", 1) == ""


@pytest.mark.parametrize(
    ("line", "title", "better"),
    [
        ("total += float(row['a'])", "Sum them up", "total += float(row['a'] or 0)"),
        ("x[k] = x.get(k, 0) + int(v)", "Sum them up", "x[k] = x.get(k, 0) + int(v or 0)"),
        ("total += float(row['a'])", "The average of each", ""),
        ("total += float(a) + float(b)", "Sum them up", ""),
        ("values.append(float(a))", "List them", ""),
        ("values.append(float(a))", "Empty ones count as 0", "values.append(float(a or 0))"),
        ("values.append(float(a))", "空的算作 0", "values.append(float(a or 0))"),
        ("values.append(float(a))", "Skip empty ones, do not count them as 0", ""),
        ("values.append(float(a))", "Empty values should not be counted as 0", ""),
        ("values.append(float(a))", "空值不要算作 0", ""),
        ("values.append(float(a))", "Half days count as 0.5", ""),
        ("values += [float(a)]", "Sum them up", ""),
        ("out += f'{float(a):.2f}'", "Sum them up", ""),
        ("total += float(row['a'])", "Write avg_price per region", ""),
        ("age = 2024 - float(row['born'])", "Sum them up", ""),
        ("total = rate * float(row['a'])", "Sum them up", ""),
    ],
)
def test_an_empty_value_is_nothing_in_a_sum(line: str, title: str, better: str) -> None:
    error = f"ValueError: could not convert string to float: '' (a.py line 1: {line}); some values "
    found = remedy(
        f"{line}\n", f"{error}are empty: skip them, or ...", 1, Task(id="t", title=title)
    )
    assert found == (f"{better}\n" if better else "")
