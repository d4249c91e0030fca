"""Which lines may be edited, and when a script is mended rather than written anew."""

from pathlib import Path

import pytest

from replan.nodes.contract import Brief, SelectToolRequest
from replan.nodes.select_tool.mending import (
    edits_of_line,
    edits_schema,
    failing_line,
    is_mending,
    line_of_script,
    mended,
    place_of_failure,
    read_editable,
    script_to_mend,
    shown_now,
    written_anew,
)
from replan.state.task import Action, Attempt, Check, CheckResult, Observation, Task
from replan.tools.workspace import open_workspace

TESTS = Check(kind="tests_pass", path="test_calc.py")
FAILS = CheckResult(check=TESTS, passed=False, detail="1 failed")
BAD = CheckResult(check=Check(kind="file_exists", path="a.csv"), passed=False, detail="no rows")
LACKS = FAILS.model_copy(update={"detail": "E   ModuleNotFoundError: No module named 'calc'"})
SCRIPT = "for row in rows:\n    print(row)\nprint(sum)\n"
WROTE = Observation(ok=True, changed=["a.csv"])
CRASHED = Observation(
    ok=False, error="NameError: name 'rows' is not defined (script.py line 1: for row in rows:)"
)

OTHERWISE = Observation(
    ok=False, error="TypeError: unhashable (script.py line 1: for row in rows:)"
)
CRASHED_AGAIN = Observation(
    ok=False, error="NameError: name 'all' is not defined (script.py line 1: for row in rows:)"
)
FURTHER = Observation(ok=False, error="TypeError: none (script.py line 3: print(sum))")
READ = Action(tool="read_file", args={"path": "a.csv"})
OTHER_VALUES = CRASHED.model_copy(update={"error": f"{CRASHED.error}; row is 'a'"})


OTHER_EDIT = {"fault": "g", "old": "a", "new": "b"}


def attempt(seen: Observation = CRASHED, reason: str = "it crashed", **more: object) -> Attempt:
    action = Action(tool="python", args={"code": SCRIPT})
    fields = {"action": action, "observation": seen, "verdict": "retry", "reason": reason, **more}
    return Attempt.model_validate(fields)


def request(task: Task, *existing: str, survey: str = "") -> SelectToolRequest:
    return SelectToolRequest(
        brief=Brief(goal="a goal", survey=survey),
        task=task,
        existing=list(existing),
        protected=["test_calc.py"],
    )


def mend(**fields: object) -> Task:
    return Task.model_validate({"id": "t1", "title": "Mend", "checks": [TESTS], **fields})


@pytest.mark.parametrize(
    ("task", "existing", "answer"),
    [
        (mend(before=[FAILS]), ["calc.py", "test_calc.py"], True),
        (mend(before=[FAILS]), ["calc.py"], False),
        (mend(before=[FAILS], writes=["new.py"]), ["calc.py", "test_calc.py"], False),
        (mend(before=[LACKS]), ["calc.py", "test_calc.py"], False),
        (mend(before=[FAILS.model_copy(update={"passed": True})]), ["test_calc.py"], False),
        (mend(before=[FAILS], attempts=[attempt()]), ["test_calc.py"], False),
        (mend(attempts=[attempt(evidence=[FAILS])]), ["test_calc.py"], True),
    ],
)
def test_it_is_mending_when_tests_that_are_there_fail(
    task: Task, existing: list[str], answer: bool
) -> None:
    assert is_mending(request(task, *existing)) is answer


async def test_what_may_be_edited(workspace: Path) -> None:
    place = open_workspace(workspace, create=False)
    texts = {"calc.py": "x = 1\n", "test_calc.py": "y", "own.md": "z", "own.csv": "a,b", "e.py": ""}
    for path, text in texts.items():
        await place.write_text(path, text)
    await place.write_text("long.py", "x = 1\n" * 2000)
    task = mend(before=[FAILS], writes=["own.md", "own.csv"])
    found = await read_editable(request(task, *texts, "long.py", "gone.py"), place)
    assert found == {"own.md": "z", "calc.py": "x = 1\n"}
    broken = Attempt.model_validate(
        {
            "action": Action(tool="python", args={"code": SCRIPT}),
            "observation": Observation(ok=False, error="it crashed", changed=["own.md"]),
            "evidence": [FAILS],
        }
    )
    half = task.model_copy(update={"attempts": [broken]})
    assert await read_editable(request(half, *texts), place) == {"calc.py": "x = 1\n"}
    quiet = task.model_copy(update={"before": []})
    assert await read_editable(request(quiet, *texts), place) == {"own.md": "z"}


def test_a_line_to_edit_is_one_of_the_file_that_is_there_once() -> None:
    text = "class A:\n    def f(self):\n        return 1\n\n    def g(self):\n        x = 1\n"
    old = edits_schema(text + "        y = 2\n        y = 2\n")["items"]["properties"]["old"]
    assert old == {"enum": ["        return 1", "        x = 1"]}
    many = "\n".join(f"x{at} = {at}" for at in range(500))
    assert edits_schema(many)["items"]["properties"]["old"]["type"] == "string"


def test_a_mended_script() -> None:
    edits = [
        {"fault": "a", "old": "print(sum)", "new": "print(sum(rows))"},
        {"fault": "b", "old": "print(sum)", "new": "it is no longer there"},
        {"fault": "c", "old": "    print(row)", "new": "pass"},
        {"fault": "d", "old": "    pass", "new": "    if it breaks"},
    ]
    assert mended(SCRIPT, edits) == "for row in rows:\n    pass\nprint(sum(rows))\n"


@pytest.mark.parametrize(
    ("attempts", "script"),
    [
        ([], ""),
        ([attempt()], SCRIPT),
        ([attempt(OTHERWISE), attempt(FURTHER)], SCRIPT),
        ([attempt(OTHERWISE), attempt()], SCRIPT),
        ([attempt(CRASHED_AGAIN), attempt()], ""),
        ([attempt(FURTHER), attempt()], ""),
        ([attempt(action=READ), attempt()], SCRIPT),
        ([attempt(), attempt()], ""),
        ([attempt(OTHER_VALUES), attempt(reason="after an edit")], ""),
        ([attempt(Observation(ok=True, text="1"))], ""),
        ([attempt(WROTE, evidence=[BAD])], ""),
        ([attempt(Observation(ok=False, repeated=True))], ""),
        ([attempt(Observation(ok=False, error="over the time limit of 30 s"))], ""),
        ([attempt(Observation(ok=False, error="exit code 1"))], ""),
        ([attempt(action=Action(tool="write_file", args={"path": "a", "text": "b"}))], ""),
        ([attempt(action=Action(tool="python", args={"code": "x = 1\n" * 600}))], ""),
    ],
)  # fmt: skip
def test_when_a_script_is_mended(attempts: list[Attempt], script: str) -> None:
    assert script_to_mend(mend(attempts=attempts)) == script


def test_only_what_is_no_longer_as_surveyed_is_shown_again() -> None:
    sources = {"a.py": "x = 1\n", "b.py": "y = 2\n"}
    assert shown_now(sources, "a.py holds:\nx = 1\nb.py holds:\ny = 1") == [
        "b.py holds now:\ny = 2"
    ]


def test_the_line_that_failed_is_put_right() -> None:
    error = "TypeError: x (script.py line 2:     print(row)); row is 3"
    task = mend(attempts=[attempt(Observation(ok=False, error=error))])
    assert line_of_script(task) == 2
    assert failing_line(SCRIPT, 2) == SCRIPT.splitlines()[1]
    assert failing_line(SCRIPT, 0) == failing_line(SCRIPT, 9) == ""
    assert failing_line("    x()\n    x()\n", 2) == ""
    line = "    print(row)"
    answer = {"new": "print(row.name)\n", "other_edits": [OTHER_EDIT]}
    assert edits_of_line(SCRIPT, line, answer) == [
        {"fault": "", "old": line, "new": "    print(row.name)"},
        OTHER_EDIT,
    ]
    kept = edits_of_line("\tx", "\tx", {**answer, "new": "  y", "other_edits": []})
    assert kept[0]["new"] == "  y"


def test_a_line_break_in_a_literal_is_an_escape() -> None:
    script = "for a in rows:\n    f.write(a + '\\n)\n"
    line = "    f.write(a + '\\n)"
    answer = {"new": "f.write(a + '\n')", "other_edits": []}
    (edit,) = edits_of_line(script, line, answer)
    assert mended(script, [edit]) == "for a in rows:\n    f.write(a + '\\n')\n"


def test_where_a_script_of_the_workspace_fails() -> None:
    runs = Check(kind="script_runs", path="a.py")
    fails = CheckResult(check=runs, passed=False, detail="KeyError: 'x' (lib/b.py line 12: y[x])")
    assert place_of_failure(mend(before=[fails])) == ("lib/b.py", 12, fails.detail)
    assert place_of_failure(mend(before=[FAILS])) is None
    assert place_of_failure(mend()) is None


def test_code_that_fails_most_examples_is_written_anew() -> None:
    def found(*passed: bool, there: bool = False, **of_task: object) -> list[str]:
        examples = [
            CheckResult(check=Check(kind="call_gives", path="a.py", text=str(at)), passed=ok)
            for at, ok in enumerate(passed)
        ]
        exists = Check(kind="file_exists", path="a.py")
        detail = "" if there else "it does not exist"
        before = [CheckResult(check=exists, passed=there, detail=detail)]
        writes = Action(tool="write_file", args={"path": "a.py"})
        tried = attempt(Observation(ok=True), evidence=examples)
        attempts = [tried.model_copy(update={"action": writes})]
        known = {"id": "t1", "title": "t", "writes": ["a.py"], "before": before}
        return written_anew(Task(**{**known, "attempts": attempts, **of_task}))

    assert found(False, False, True) == ["a.py"]
    assert found(False, True) == []
    assert found(False, True, tries=1) == ["a.py"]
    assert found(False, False, there=True) == []
    assert found(False, False, there=True, made=["a.py"]) == ["a.py"]
    assert found(True, True, tries=1) == []


def test_code_is_written_anew_and_mended_in_turns() -> None:
    check = Check(kind="call_gives", path="a.py", text="f(1) == 2")
    fails = CheckResult(check=check, passed=False)

    def turn(*thoughts: str) -> list[str]:
        attempts = [
            Attempt(
                action=Action(tool="write_file", args={"path": "a.py"}, thought=thought),
                observation=Observation(ok=True),
                evidence=[fails],
            )
            for thought in thoughts
        ]
        return written_anew(
            Task(id="t1", title="t", made=["a.py"], before=[fails], attempts=attempts)
        )

    assert turn("") == ["a.py"]
    assert turn("", "") == []
    assert turn("", "", "wrote anew: f in a.py") == ["a.py"]
    assert turn("", "wrote anew: f in a.py", "") == []
    assert turn() == []
    edit = Attempt(
        action=Action(tool="edit_file", args={"path": "a.py"}), observation=Observation(ok=True)
    )
    write = edit.model_copy(update={"action": Action(tool="write_file", args={"path": "a.py"})})
    edited = [one.model_copy(update={"evidence": [fails]}) for one in (write, write, edit)]
    task = Task(id="t1", title="t", made=["a.py"], before=[fails], attempts=edited)
    assert written_anew(task) == ["a.py"]
