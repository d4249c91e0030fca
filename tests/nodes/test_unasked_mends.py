"""What `select_tool = "json"` does about code that fails, before it asks which call to make."""

from pathlib import Path
from typing import Any

from openai_server import Reply

from replan.nodes.contract import Brief, SelectToolRequest
from replan.nodes.registry import implementation
from replan.state.task import Action, Attempt, Check, CheckResult, Observation, Task

CODE = "def first(row):\n    return row[1]\n\n\ndef last(row):\n    return row[-1]\n"
TEST = "from rows import first\n\n\ndef test_first():\n    assert first([7, 8]) == 7\n"
FAILED = """1 failed, 0 passed
FAILED test_rows.py::test_first
test_rows.py:5: in test_first
    assert first([7, 8]) == 7
E   assert 8 == 7"""
BETTER = "```python\ndef first(row):\n    return row[0]\n```"
MENDED = CODE.replace("row[1]", "row[0]")
SUM = "for row in rows:\n    total += len(row)\nprint(total)\n"


async def selected(use_of, model: Any, task: Task) -> tuple[Action, int]:
    request = SelectToolRequest(
        brief=Brief(goal="a goal"),
        task=task,
        existing=["rows.py", "test_rows.py"],
        protected=["test_rows.py"],
    )
    async with use_of(model) as (use, server):
        result = await implementation("select_tool", "json")(request, use)
    return result.action, len(server.requests)


def mending(workspace: Path) -> Task:
    (workspace / "rows.py").write_text(CODE)
    (workspace / "test_rows.py").write_text(TEST)
    check = Check(kind="tests_pass", path="test_rows.py")
    result = CheckResult(check=check, passed=False, detail=FAILED)
    return Task(id="t1", title="mend it", writes=["rows.py"], checks=[check], before=[result])


async def test_the_function_alone_is_asked_for(use_of, workspace: Path) -> None:
    action, asked = await selected(use_of, [BETTER], mending(workspace))
    assert (action.tool, action.args) == ("write_file", {"path": "rows.py", "text": MENDED})
    assert action.thought == "wrote anew: first in rows.py"
    assert asked == 1


async def test_who_gives_the_same_function_is_asked_for_another(use_of, workspace: Path) -> None:
    task = mending(workspace)
    code = CODE.replace("return row[1]", "return last(row[:1])").replace("row[-1]", "row[1]")
    (workspace / "rows.py").write_text(code)
    same = "```python\ndef first(row):\n    # the first\n    return last(row[:1])\n```"
    other = "```python\ndef last(row):\n    return row[-1]\n```"
    action, asked = await selected(use_of, [same, other], task)
    assert action.args["text"] == code.replace("row[1]", "row[-1]")
    assert action.thought == "wrote anew: last in rows.py"
    assert asked == 2


async def test_who_was_asked_before_is_asked_warmer(use_of, workspace: Path) -> None:
    task = mending(workspace)
    wrote = Action(tool="write_file", args={}, thought="wrote anew: first in rows.py")
    tried = Attempt(action=wrote, observation=Observation(ok=True), evidence=task.before)
    again = task.model_copy(update={"attempts": [tried], "rounds": 1})
    asked: list[float] = []

    def answer(body: dict[str, Any]) -> str:
        asked.append(body.get("temperature", 0.0))
        return BETTER

    for one in (task, again):
        await selected(use_of, answer, one)
    assert asked[0] < asked[1]


async def test_a_function_whose_end_is_missing_is_not_taken(use_of, workspace: Path) -> None:
    edits = [{"fault": "1", "old": "    return row[1]", "new": "    return row[0]"}]
    edit = {"call": {"tool": "edit_file", "path": "rows.py", "edits": edits}}
    cut = Reply(BETTER, finish_reason="length")
    action, asked = await selected(use_of, [cut, cut, edit], mending(workspace))
    assert (action.tool, action.args["edits"]) == ("edit_file", edits)
    assert asked == 3


async def test_a_known_fault_of_a_script_is_mended_unasked(use_of) -> None:
    error = "NameError: name 'total' is not defined (script.py line 2: total += len(row))"
    attempt = Attempt(
        action=Action(tool="python", args={"code": SUM}),
        observation=Observation(ok=False, error=error),
    )
    task = Task(id="t1", title="sum up", attempts=[attempt], tries=1, rounds=1)
    action, asked = await selected(use_of, [], task)
    assert (action.tool, action.args) == ("python", {"code": f"total = 0\n{SUM}"})
    assert asked == 0


async def test_a_known_fault_of_a_script_of_the_workspace_too(use_of, workspace: Path) -> None:
    (workspace / "rows.py").write_text(SUM)
    check = Check(kind="script_runs", path="rows.py")
    detail = "NameError: name 'total' is not defined (rows.py line 2: total += len(row))"
    fails = CheckResult(check=check, passed=False, detail=detail)
    task = Task(id="t1", title="mend it", writes=["rows.py"], checks=[check], before=[fails])
    action, asked = await selected(use_of, [], task)
    expected = {"path": "rows.py", "text": f"total = 0\n{SUM}"}
    assert (action.tool, action.args) == ("write_file", expected)
    assert asked == 0


async def test_what_made_it_worse_is_not_gone_on_from(use_of, workspace: Path) -> None:
    task = mending(workspace)
    check = task.before[0].check

    def wrote(text: str, failed: str) -> Attempt:
        evidence = [CheckResult(check=check, passed=False, detail=failed)]
        action = Action(tool="write_file", args={"path": "rows.py", "text": text})
        seen = Observation(ok=True, changed=["rows.py"])
        return Attempt(action=action, observation=seen, evidence=evidence)

    worse = CODE.replace("row[-1]", "row[9]")
    (workspace / "rows.py").write_text(worse)
    attempts = [wrote(CODE, FAILED), wrote(worse, FAILED.replace("1 failed", "2 failed"))]
    again = task.model_copy(update={"attempts": attempts, "rounds": 2, "tries": 2})
    action, _ = await selected(use_of, [BETTER], again)
    assert action.args["text"] == MENDED


async def test_who_only_gives_what_is_known_is_asked_anew(use_of, workspace: Path) -> None:
    same = f"```python\n{CODE}```"
    action, asked = await selected(use_of, [same, BETTER], mending(workspace))
    assert action.args["text"] == MENDED
    assert asked == 2
