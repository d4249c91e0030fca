from typing import Any

import pytest

from replan.state.task import Check, CheckResult
from replan.tools.checks import run_checks
from replan.tools.workspace import Workspace


async def run_one(workspace: Workspace, **check: Any) -> CheckResult:
    baseline = check.pop("baseline", {})
    (result,) = await run_checks([Check(**check)], workspace, baseline, seconds=20)
    assert result.passed is not bool(result.detail)
    assert len(result.detail) <= 1500
    return result


@pytest.mark.parametrize(
    ("path", "text", "fault"),
    [
        ("a.txt", "x", ""),
        ("a.txt", " \n", "it is empty"),
        ("a.txt", "a;b;c;\n", ""),
        ("a.txt", "a-b-\n", "it ends with '-', behind which nothing follows"),
        ("a.txt", "a,b,\nc,d,\n", ""),
        ("a.txt", "-----\n", ""),
        ("a.txt", "wait -\n", ""),
        ("a.json", '{"a": 1}', ""),
        ("a.json", "\ufeff[0]", ""),
        ("a.json", "0", ""),
        ("a.json", "{}", "it holds nothing but {}"),
        ("a.json", "[]", "it holds nothing but []"),
        ("a.json", "null", "it holds nothing but null"),
        ("a.json", "{'a': 1}", "it is not valid JSON: Expecting property name"),
        ("a.csv", "a,b\n1,2\n\n3,4\n", ""),
        ("a.csv", 'a,b\n"1,\n2",2\n', ""),
        ("a.csv", "a,b\n", "it has no row below its first line: a,b"),
        ("a.csv", "a,b\n1,2,3\n", "line 2 has 3 columns, the header 2: 1,2,3; the header is: a,b"),
        ("a.py", "x = 1\n", ""),
        ("a.py", "# coding\ns = '\\d'\n", ""),
        ("a.py", "def f(:\n  pass", "SyntaxError: "),
        ("a.py", "return 1", "SyntaxError: 'return' outside function (the file line 1: return 1)"),
    ],
)
async def test_file_exists(workspace: Workspace, path: str, text: str, fault: str) -> None:
    await workspace.write_text(path, text)
    result = await run_one(workspace, kind="file_exists", path=path)
    assert result.passed == (not fault), result.detail
    assert result.detail.startswith(fault)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("user_id,total\n1,5\n2,5\n", ""),
        ("user_id,total\n1,5\n1,5\n2,5\n", "it has 3 rows for 2 different values of user_id"),
        ("total,User\n5,a\n5, a\n", "it has 2 rows for 1 different values of User"),
        ("total,Users\n5,a\n5,a\n", "it has 2 rows"),
        ("name,total\nAda,5\nAda,5\n", ""),
        ("user count,user\n1,a\n1,b\n", ""),
        ("user_id,user,total\n1,Ada,5\n2,Ada,5\n", ""),
        ('user,total\n"a\nb",5\na,5\n\n', ""),
        ("user\n", ""),
        ("1,5.5\n2,6\n", "its first line holds no column names: 1,5.5"),
        ("", "it is empty"),
    ],
)
async def test_one_row_per(workspace: Workspace, text: str, fault: str) -> None:
    await workspace.write_text("a.csv", text)
    result = await run_one(workspace, kind="one_row_per", path="a.csv", text="user")
    assert result.passed == (not fault), result.detail
    assert result.detail.startswith(fault)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('{"a": 1, "b": 2.5}', ""),
        ('{"a": {"b": 1}}', "behind 'a' stands an object, not a number: {\"b\": 1}"),
        ('{"a": "1"}', "behind 'a' stands a text"),
        ('{"a": true}', "behind 'a' stands true or false"),
        ('{"a": null}', "behind 'a' stands null"),
        ("[1]", "it holds a list, not an object"),
        ("{", "it is not valid JSON"),
    ],
)
async def test_json_numbers(workspace: Workspace, text: str, fault: str) -> None:
    await workspace.write_text("a.json", text)
    result = await run_one(workspace, kind="json_numbers", path="a.json")
    assert result.passed == (not fault), result.detail
    assert result.detail.startswith(fault)


async def test_a_missing_file_is_looked_for(workspace: Workspace) -> None:
    await workspace.write_text("out/Report.MD", "x")
    result = await run_one(workspace, kind="file_exists", path="report.md")
    assert result.detail == "it does not exist, but out/Report.MD does"
    result = await run_one(workspace, kind="file_exists", path="other.md")
    assert result.detail == "it does not exist; its folder holds: out"
    result = await run_one(workspace, kind="file_exists", path="no/where/other.md")
    assert result.detail == "it does not exist"


async def test_folders(workspace: Workspace) -> None:
    await workspace.write_text("full/a", "x")
    (workspace.path / "void" / "__pycache__").mkdir(parents=True)
    (workspace.path / "a.csv").mkdir()
    expected = {
        "full/": "",
        "full": "",
        "void/": "it is empty",
        "a.csv": "it is a folder",
        "full/a/": "it is a file, not a folder",
    }
    for path, fault in expected.items():
        assert (await run_one(workspace, kind="file_exists", path=path)).detail == fault


@pytest.mark.parametrize("path", ["../x", "/etc/passwd", "", "a\0b"])
@pytest.mark.parametrize("kind", ["file_exists", "file_contains", "csv_columns"])
async def test_no_check_looks_outside(workspace: Workspace, kind: str, path: str) -> None:
    assert not (await run_one(workspace, kind=kind, path=path, text="root")).passed


async def test_file_unchanged(workspace: Workspace) -> None:
    await workspace.write_text("a.txt", "1")
    base = await workspace.hashes()

    async def detail(path: str) -> str:
        return (await run_one(workspace, kind="file_unchanged", path=path, baseline=base)).detail

    assert await detail("a.txt") == ""
    assert await detail("./a.txt") == ""
    assert await detail("never.txt") == ""
    await workspace.write_text("a.txt", "2")
    await workspace.write_text("b.txt", "2")
    assert await detail("a.txt") == "its content has changed"
    assert await detail("b.txt") == "it did not exist at the start"
    (workspace.path / "a.txt").unlink()
    assert await detail("a.txt") == "it is no longer there"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("Hour , COUNT\n1,2\n", ""),
        ('\ufeff"hour","count"\n', ""),
        ("count,hour\n", "its first line is 'count,hour', it has to be 'hour,count'"),
        ("hour;count\n1;2\n", "separate the columns by commas, not by ';'"),
        ("", "it is empty"),
    ],
)
async def test_csv_columns(workspace: Workspace, text: str, fault: str) -> None:
    await workspace.write_text("e.csv", text)
    result = await run_one(workspace, kind="csv_columns", path="e.csv", columns=["hour", "count"])
    assert result.passed == (not fault)
    assert fault in result.detail


async def test_file_contains(workspace: Workspace) -> None:
    await workspace.write_text("a.md", "# The Title\n\nsome words\n")
    for text, fault in {
        "some words": "",
        "SOME  words": "it is there only with other capitals, spaces or line breaks",
        "other": "it begins: # The Title / some words",
    }.items():
        result = await run_one(workspace, kind="file_contains", path="a.md", text=text)
        assert result.detail == fault


async def test_tests_pass(workspace: Workspace) -> None:
    body = "".join(f"    assert {n} >= 0\n" for n in range(60))
    await workspace.write_text(
        "test_a.py", f"def test_a():\n{body}    assert sorted([2, 1]) == [1, 3], 'why'\n"
    )
    result = await run_one(workspace, kind="tests_pass", path="test_a.py")
    assert not result.passed
    assert "test_a.py::test_a" in result.detail
    assert "AssertionError: why" in result.detail
    assert "assert [1, 2] == [1, 3]" in result.detail
    await workspace.write_text("test_a.py", "def test_a():\n    assert True\n")
    checks = [Check(kind="tests_pass", path="test_a.py"), Check(kind="tests_pass")]
    assert all(one.passed for one in await run_checks(checks, workspace, {}))
    missing = await run_one(workspace, kind="tests_pass", path="test_b.py")
    assert missing.detail == "it does not exist; its folder holds: test_a.py"


@pytest.mark.parametrize(
    ("check", "text", "fault"),
    [
        ({"kind": "json_keys", "columns": ["a", "b"]}, '{"a": 1, "b": 2, "c": 3}', ""),
        ({"kind": "json_keys", "columns": ["a", "b"]}, '[{"a": 1, "b": 2}]', ""),
        (
            {"kind": "json_keys", "columns": ["a", "b"]},
            '[{"b": 1}]',
            "the key a is missing; its keys are: b",
        ),
        ({"kind": "json_keys", "columns": ["a", "b"]}, "[1]", "it holds 1, which has no keys"),
        ({"kind": "json_keys", "columns": ["a"]}, "{", "it is not valid JSON"),
        ({"kind": "number_only"}, " 12\n", ""),
        ({"kind": "number_only", "text": "2"}, "-12.50", ""),
        ({"kind": "number_only", "text": "2"}, "12.5", "12.5 has 1 decimals"),
        ({"kind": "number_only"}, "12 days", "it holds more than one number, or another thing: 12"),
        ({"kind": "number_only"}, "", "it holds more than one number, or another thing: (nothing)"),
        ({"kind": "brief_only"}, "Ada Lovelace\n", ""),
        ({"kind": "brief_only"}, "张小明", ""),
        ({"kind": "brief_only"}, "The winner of the race is Ada", "it holds more, or nothing: The"),
        ({"kind": "brief_only"}, "Ada\nBob\n", "it holds more, or nothing: Ada / Bob"),
        ({"kind": "brief_only"}, " ", "it holds more, or nothing: (nothing)"),
        ({"kind": "is_sorted"}, "Ann\nbob\nCleo\n", ""),
        ({"kind": "is_sorted"}, "Zoe\nann\n", ""),
        ({"kind": "is_sorted"}, "2\n10\n", ""),
        ({"kind": "is_sorted"}, "b=1\na=2\n", "'a' stands behind 'b'"),
        ({"kind": "is_sorted"}, "", ""),
        ({"kind": "is_sorted", "columns": ["n"]}, "id,n\nz,2\na,10\n", ""),
        ({"kind": "is_sorted", "columns": ["n"]}, "id,n\na,b\nz,a\n", "'a' stands behind 'b'"),
        ({"kind": "is_sorted", "columns": ["x"]}, "id,n\nz,2\na,1\n", ""),
        ({"kind": "no_repeats"}, "a\nb\n\n", ""),
        ({"kind": "no_repeats"}, "a\nb\n a\n", "it holds 'a' 2 times, not once"),
        ({"kind": "no_repeats"}, "", ""),
        ({"kind": "no_gaps"}, "a\nb\n\nc\n", ""),
        ({"kind": "no_gaps"}, "a\n\n", ""),
        ({"kind": "no_gaps"}, "", ""),
        ({"kind": "no_gaps"}, "a\n\nb\n", "every second line is empty"),
        ({"kind": "no_gaps"}, "a\n \nb\n\nc", "every second line is empty"),
        ({"kind": "no_line_begins", "text": "X:"}, "a X: b\n", ""),
        ({"kind": "no_line_begins", "text": "X:"}, "a\n X: b\n", "there is ' X: b'"),
        ({"kind": "decimals", "text": "2"}, "a: 1.00\n\nb: -2.50\n", ""),
        ({"kind": "decimals", "text": "2"}, "a: 1\n", "there is 'a: 1'"),
        ({"kind": "decimals", "text": "2"}, "a: 1.005\n", "there is 'a: 1.005'"),
        ({"kind": "decimals", "text": "2"}, "a: 1.00 EUR\n", "there is 'a: 1.00 EUR'"),
        ({"kind": "decimals", "text": "1"}, "a: 1.0b: 2.0", "several stand in one line"),
        ({"kind": "has_table"}, "# A\n\n| a | b |\n|---|--:|\n| 1 | 2 |\n", ""),
        ({"kind": "has_table"}, "a | b\n--- | ---\n1 | 2", ""),
        ({"kind": "has_table"}, "| a | b |\n| 1 | 2 |", "it holds no table: | a | b |"),
        ({"kind": "has_table"}, "a,b\n1,2\n", "it holds no table: a,b"),
        ({"kind": "as_many_rows", "text": "in.csv"}, "x\n1\n\n2\n", ""),
        ({"kind": "as_many_rows", "text": "in.csv"}, "x\n1\n", "it has 1 rows, in.csv has 2"),
        ({"kind": "as_many_rows", "text": "in/*.csv"}, "x\n1\n2\n3\n", ""),
        ({"kind": "as_many_rows", "text": "in/*.csv"}, "n,a,b\nx,5,6\ny,1,2\nz,3,4\n", ""),
        (
            {"kind": "as_many_rows", "text": "in/*.csv"},
            "a,b\n1,2.0\n3,4.0\n5,6.0\n",
            "no row has '1,2' as it was; pandas.read_csv(path, dtype=str) keeps it",
        ),
        ({"kind": "as_many_rows", "text": "in/*.csv"}, "x\n", "it has 0 rows, in/*.csv has 3"),
        ({"kind": "as_many_rows", "text": "odd/*.csv"}, "x\n", ""),
        ({"kind": "as_many_rows", "text": "ragged/*.csv"}, "x\n", ""),
        ({"kind": "as_many_rows", "text": "no.csv"}, "x\n1\n", "no.csv does not exist"),
    ],
)
async def test_the_form_of_the_content(
    workspace: Workspace, check: dict[str, Any], text: str, fault: str
) -> None:
    await workspace.write_text("a.any", text)
    await workspace.write_text("in.csv", "a,b\n1,2\n3,4\n")
    await workspace.write_text("in/1.csv", "a,b\n1,2\n3,4\n")
    await workspace.write_text("in/2.csv", "a,b\n5,6\n")
    await workspace.write_text("in/.3.csv", "a,b\n5,6\n")
    await workspace.write_text("in/4.csv/b.txt", "a,b\n5,6\n")
    await workspace.write_text("ragged/1.csv", "a,b\n1,2,3\n,\n")
    await workspace.write_text("odd/1.csv", 'a\n"' + "x" * 200_000)
    result = await run_one(workspace, path="a.any", **check)
    assert result.passed == (not fault), result.detail
    assert result.detail.startswith(fault)


async def test_some_stay(workspace: Workspace) -> None:
    for path in ("in/a.txt", "in/b.txt", "c.txt"):
        await workspace.write_text(path, path)
    base = await workspace.hashes()

    async def stay(folder: str) -> str:
        return (await run_one(workspace, kind="some_stay", path=folder, baseline=base)).detail

    (workspace.path / "in" / "a.txt").unlink()
    assert await stay("in") == ""
    await workspace.write_text("in/b.txt", "another")
    assert await stay("in") == "of the 2 files not one is as it was"
    assert await stay("") == ""
    assert await stay("none") == ""


async def test_gone(workspace: Workspace) -> None:
    await workspace.write_text("old/a.txt", "x")
    assert (await run_one(workspace, kind="gone", path="old")).detail == "it is still there"
    assert (await run_one(workspace, kind="gone", path="new")).passed
    (workspace.path / "old" / "deep").mkdir()
    (workspace.path / "old" / "deep" / "a.bak").write_text("a")
    told = "still there: old/deep/a.bak; glob.glob('{}**/*.bak', recursive=True) finds them"
    assert (await run_one(workspace, kind="gone", path="*.bak")).detail == told.format("")
    assert (await run_one(workspace, kind="gone", path="old/*.bak")).detail == told.format("old/")
    assert (await run_one(workspace, kind="gone", path="*.tmp")).passed


async def test_calls_give_what_they_have_to(workspace: Workspace) -> None:
    code = (
        "print('loud')\n"
        "def half(n):\n"
        "    if n < 0:\n        raise ValueError('too small')\n"
        "    return n / 2\n"
    )
    await workspace.write_text("m.py", code)
    calls = {
        "half(3) == 1.5": "",
        "half(4) == 3": "it gives 2.0",
        "half('a') == 3": "it raises TypeError: '<' not supported",
        "half(-1) raises ValueError": "",
        "half(1) raises ValueError": "it gives 0.5",
        "half('a') raises ValueError": "it raises TypeError",
        "other(1) == 2": "it raises NameError: name 'other' is not defined",
    }
    checks = [Check(kind="call_gives", path="m.py", text=call) for call in calls]
    results = await run_checks(checks, workspace, {})
    for result, fault in zip(results, calls.values(), strict=True):
        assert result.passed == (not fault), result
        assert result.detail.startswith(fault)


async def test_a_module_that_cannot_be_called(workspace: Workspace) -> None:
    await workspace.write_text("m.py", "import nothing_here\n")
    told = await run_one(workspace, kind="call_gives", path="m.py", text="f(1) == 1")
    assert told.detail.startswith("it cannot be called: ModuleNotFoundError")
    missing = await run_one(workspace, kind="call_gives", path="n.py", text="f(1) == 1")
    assert missing.detail.startswith("it does not exist")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("path,lines\na,3\n", ""),
        ('path,lines\na,"x\ny"\n', "the column lines holds texts of several lines, not figures"),
        ("path,lines\na,\nb,\n", "the column lines is empty"),
        ("path,lines\na,\nb,2\n", ""),
        ('path,lines\n"a\nb",3\n', ""),
        ('path,lines\na,"3', ""),
    ],
)
async def test_figures_of_a_table(workspace: Workspace, text: str, fault: str) -> None:
    await workspace.write_text("a.csv", text)
    columns = ["path", "lines"]
    result = await run_one(workspace, kind="csv_columns", path="a.csv", columns=columns)
    assert result.detail == fault
