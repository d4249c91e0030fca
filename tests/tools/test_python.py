import pytest

from replan.state.task import Observation
from replan.tools.workspace import Workspace


async def test_code_runs_in_the_workspace_and_leaves_no_script(call, workspace: Workspace) -> None:
    await workspace.write_text("helper.py", "WORD = 'from the workspace'")
    seen: Observation = await call(
        "python", code="import helper\nprint(helper.WORD)\nopen('new.txt', 'w').write('x')"
    )
    assert seen.ok
    assert seen.exit_code == 0
    assert seen.text == "from the workspace"
    assert seen.changed == ["new.txt"]
    assert await workspace.files() == ["helper.py", "new.txt"]


async def test_silence_is_said(call) -> None:
    assert (await call("python", code="x = 1")).text == "(nothing was printed)"


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (
            "def f(row):\n    return row['amount']\n\nf({})",
            "KeyError: 'amount' (script.py line 2: return row['amount'])",
        ),
        (
            "import json\njson.loads('{')",
            "json.decoder.JSONDecodeError: Expecting property name enclosed in double quotes: "
            "line 1 column 2 (char 1) (script.py line 2: json.loads('{'))",
        ),
        (
            "try:\n    1 / 0\nexcept ZeroDivisionError:\n    int('x')",
            "ValueError: invalid literal for int() with base 10: 'x' (script.py line 4: int('x'))",
        ),
        ("raise ValueError('one\\ntwo')", "ValueError: one two (script.py line 1: raise"),
        ("import no_such_thing", "ModuleNotFoundError: No module named 'no_such_thing' (script.py"),
        ("input()", "EOFError: EOF when reading a line (script.py line 1: input()); nobody can"),
        ("x = (\n", "SyntaxError: '(' was never closed (script.py line 1: x = ()"),
        ("if True:\nx = 1", "IndentationError: expected an indented block"),
        ("x = '\0'", "SyntaxError: source code string cannot contain null bytes (script.py)"),
        ("import sys\nsys.exit('no data')", "no data"),
        ("import sys\nsys.exit(4)", "exit code 4"),
        ("import os\nos.kill(os.getpid(), 11)", "killed by SIGSEGV"),
    ],
)
async def test_the_error_says_what_and_where(call, code: str, error: str) -> None:
    seen: Observation = await call("python", code=code)
    assert not seen.ok
    assert seen.error.startswith(error)
    assert "/tmp" not in seen.error + seen.text


async def test_what_is_printed_can_be_stored(call) -> None:
    code = "import sys\nsys.stdout.buffer.write(b'a\\0b\\xff')\nraise ValueError('x\\0\\ud800')"
    seen = await call("python", code=code)
    assert seen.text.startswith("a\\x00b\ufffd")
    assert seen.error.startswith("ValueError: x\\x00")
    (seen.text + seen.error).encode("utf-8")


async def test_a_missing_package_is_answered_by_those_there_are(call) -> None:
    seen = await call("python", code="import no_such_thing.deep")
    assert "besides the standard library there are: " in seen.error
    assert "pytest" in seen.error.split("there are: ")[1]


async def test_a_syntax_error_runs_nothing(call, workspace: Workspace) -> None:
    seen = await call("python", code="open('a', 'w').close()\nprint('x'")
    assert seen.exit_code is None
    assert await workspace.files() == []


async def test_a_syntax_warning_is_no_error(call) -> None:
    seen = await call("python", code="import re\nprint(len(re.findall('\\d', '12')))")
    assert seen.ok
    assert seen.text.startswith("2")


async def test_long_output_keeps_both_ends(call) -> None:
    seen = await call("python", code="print('first')\nprint('x' * 50_000)\nprint('last')\n1 / 0")
    assert seen.text.startswith("first")
    assert seen.text.endswith("last")
    assert seen.error == "ZeroDivisionError: division by zero (script.py line 4: 1 / 0)"
    assert len(seen.text) < 4200


async def test_an_error_is_told_once_and_without_the_frames_of_libraries(call) -> None:
    code = "import sys, json\nprint('begun')\nprint('note', file=sys.stderr)\njson.loads('{')"
    seen = await call("python", code=code)
    assert seen.text == "begun\nnote"
    assert seen.error.startswith("json.decoder.JSONDecodeError: ")
    assert seen.error.endswith(" (script.py line 4: json.loads('{'))")


async def test_the_time_limit(call) -> None:
    # Long enough for Python to have come to the script when it says where it is.
    seen = await call("python", seconds=2.5, code="print('a')\nimport time\ntime.sleep(60)")
    assert (seen.ok, seen.text) == (False, "a")
    assert seen.error == (
        "stopped by the time limit of 2.5 s; it was in script.py line 3: time.sleep(60); that "
        "never ends, or is far too slow: do it in a faster way"
    )
    assert 2.5 <= seen.seconds < 10


async def test_run_script(call, workspace: Workspace) -> None:
    await workspace.write_text("tools/hello.py", "import sys, near\nprint(sys.argv[1:], near.X)")
    await workspace.write_text("tools/near.py", "X = 1")
    seen = await call("run_script", path="tools/hello.py", arguments=["a b", "-c"])
    assert seen.text == "['a b', '-c'] 1"
    await workspace.write_text("tools/near.py", "def broken():\n    return 1 / 0\nX = broken()")
    seen = await call("run_script", path="tools/hello.py")
    assert seen.error == "ZeroDivisionError: division by zero (tools/near.py line 2: return 1 / 0)"


@pytest.mark.parametrize("path", ["no.py", "a.txt", ".", "../x.py"])
async def test_run_script_refuses(call, workspace: Workspace, path: str) -> None:
    await workspace.write_text("a.txt", "print(1)")
    (workspace.path.parent / "x.py").write_text("print('out')")
    seen = await call("run_script", path=path)
    assert not seen.ok
    assert path in seen.error
    assert seen.exit_code is None


CALC = "def add(a, b):\n    return a - b\n"
TEST = (
    "from calc import add\n\n\ndef test_add():\n    assert add(1, 2) == 3\n\n\n"
    "def test_zero():\n    assert add(0, 0) == 0\n"
)


async def test_run_tests_shows_the_assertion(call, workspace: Workspace) -> None:
    await workspace.write_text("calc.py", CALC)
    await workspace.write_text("test_calc.py", TEST)
    seen: Observation = await call("run_tests")
    assert (seen.ok, seen.exit_code, seen.changed) == (False, 1, [])
    assert seen.error == "1 failed, 1 passed; test_calc.py::test_add: assert -1 == 3"
    assert "FAILED test_calc.py::test_add\ntest_calc.py:5: in test_add" in seen.text
    assert "E   assert -1 == 3" in seen.text
    await workspace.write_text("calc.py", CALC.replace("-", "+"))
    seen = await call("run_tests", path="test_calc.py")
    assert (seen.ok, seen.text, seen.error) == (True, "2 passed", "")


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("x = 1", "no tests were found"),
        ("import pytest\n@pytest.mark.skip\ndef test_a(): pass", "no test ran: all were skipped"),
        ("import os\nos._exit(0)", "no tests were found"),
        ("def test_a(: pass", "1 with errors"),
        ("import nothing_here", "1 with errors"),
        ("def test_a():\n    while True: pass", "the tests were stopped by the time limit of 2 s"),
    ],
)
async def test_only_tests_that_ran_count(call, workspace: Workspace, text: str, error: str) -> None:
    await workspace.write_text("test_a.py", text)
    seen = await call("run_tests", seconds=2 if "while" in text else 20)
    assert not seen.ok
    assert seen.error.startswith(error)


async def test_every_assertion_survives_the_bound(call, workspace: Workspace) -> None:
    noise = "    x = [\n" + "".join(f"        {number},\n" for number in range(60)) + "    ]\n"
    tests = "".join(
        f"def test_{n}():\n{noise}    print('y' * 9000)\n    assert len(x) == {n}, 'z' * 5000\n"
        for n in range(8)
    )
    await workspace.write_text("test_big.py", tests)
    seen = await call("run_tests")
    assert len(seen.text) < 4500
    assert seen.text.startswith("8 failed, 0 passed")
    for number in range(8):
        assert f"test_big.py::test_{number}\n" in seen.text
    assert seen.text.count("E   AssertionError: zzz") == 8


async def test_the_configuration_around_the_workspace_does_not_count(
    call, workspace: Workspace
) -> None:
    outside = workspace.path.parent
    (outside / "pytest.ini").write_text("[pytest]\naddopts = --no-such-option\n")
    (outside / "conftest.py").write_text("raise RuntimeError('outside')\n")
    await workspace.write_text("test_a.py", "def test_a(): pass")
    assert (await call("run_tests")).ok
    await workspace.write_text("pytest.ini", "[pytest]\npython_functions = check_*\n")
    assert (await call("run_tests")).error == "no tests were found"


async def test_run_tests_refuses_what_is_not_there(call) -> None:
    for path in ("test_no.py", "../work2", "--version"):
        seen = await call("run_tests", path=path)
        assert not seen.ok
        assert path in seen.error


async def test_the_file_tools_are_functions_of_one_off_code(call, workspace: Workspace) -> None:
    await workspace.write_text("in/a.txt", "one\n")
    await workspace.write_text(".hidden/b.txt", "two\n")
    code = "write_file('out/b.txt', read_file('in/a.txt') + 'more')\nprint(list_files())"
    seen: Observation = await call("python", code=code)
    assert seen.ok, seen.error
    assert seen.text == "['in/a.txt', 'out/b.txt']"
    assert await workspace.read_text("out/b.txt", 100) == "one\nmore"


async def test_files_are_moved_and_deleted_by_functions_too(call, workspace: Workspace) -> None:
    for path in ("a.txt", "b.txt", "c.md", "old/d.txt"):
        await workspace.write_text(path, path)
    code = (
        "move_files([{'files': ['*.txt'], 'to': 'texts'}, {'files': ['c.md'], 'to': 'e.md'}])\n"
        "move_files('e.md', to='notes/')\n"
        "delete_file('texts/b.txt')\n"
        "delete_file('old', whole=True)\n"
        "move_files('notes/e.md', to='done')\n"
        "move_files('done/e.md', to='notes')\n"
        "print(list_files())\n"
        "move_files('texts/a.txt', to='notes/e.md')"
    )
    seen: Observation = await call("python", code=code)
    assert seen.text.splitlines()[0] == "['notes/e.md', 'texts/a.txt']"
    assert seen.error.startswith("FileExistsError: notes/e.md is there already")


async def test_a_name_of_the_scripts_own_stands_before_them(call) -> None:
    code = "def read_file(path):\n    return 'my own'\nprint(read_file('none'))"
    assert (await call("python", code=code)).text == "my own"


async def test_scripts_of_the_workspace_do_not_find_them(call, workspace: Workspace) -> None:
    await workspace.write_text("own.py", "read_file('own.py')")
    seen: Observation = await call("run_script", path="own.py")
    assert seen.error.startswith("NameError: name 'read_file' is not defined")
