"""Every prompt, word for word: a change of one shows in the diff of a snapshot."""

import json
from pathlib import Path
from typing import Any

import pytest
from langgraph.store.memory import InMemoryStore
from openai_server import Reply
from scripted_agent import Move, ScriptedAgent
from syrupy.assertion import SnapshotAssertion

from replan.nodes import contract
from replan.nodes.contract import Brief
from replan.nodes.registry import implementation
from replan.state.noun import Noun
from replan.state.task import Action, Attempt, Check, CheckResult, Observation, Task

GOAL = "Add up the amounts in sales.csv and write the sum to sum.txt"
BRIEF = Brief(
    goal=GOAL,
    constraints=["be exact"],
    survey="Files in the workspace: sales.csv",
    recalled=["the amounts have two decimals"],
)
WRITTEN = Check(kind="file_exists", path="sum.txt")
MISSING = CheckResult(check=WRITTEN, passed=False, detail="it does not exist")
TESTS = Check(kind="tests_pass", path="test_sum.py")
FAILS = CheckResult(check=TESTS, passed=False, detail="1 failed\nE   assert 1 == 2")
FAILS_IN_ADD = CheckResult(
    check=TESTS,
    passed=False,
    detail="1 failed, 0 passed\nFAILED test_sum.py::test_add\ntest_sum.py:5: in test_add\n"
    "    assert add(1, 1) == 2\nE   assert 0 == 2",
)
RUNS = Check(kind="script_runs", path="sum.py")
STOPS = CheckResult(
    check=RUNS, passed=False, detail="TypeError: 'x' (sum.py line 2: return a - b); a is 'x'"
)
EXAMPLE = Check(kind="call_gives", path="code.py", text="f('') raises ValueError")
SCRIPT = Action(tool="python", args={"code": "print(amounts)\n"})
CRASHED = Observation(ok=False, error="NameError: name 'amounts' is not defined (script.py line 1)")


def tried(seen: Observation, **more: Any) -> Attempt:
    fields = {"action": SCRIPT, "observation": seen, "evidence": [MISSING], **more}
    return Attempt.model_validate({"verdict": "retry", "reason": "it crashed", **fields})


def split(number: str, thought: str = "") -> Attempt:
    code = f"def f(text):\n    parts = text.split()\n    parts.append({number})\n    return parts\n"
    action = Action(tool="write_file", args={"path": "code.py", "text": code}, thought=thought)
    wrong = CheckResult(check=EXAMPLE, passed=False, detail="it gives []")
    return tried(Observation(ok=True), action=action, evidence=[wrong], reason="it gives []")


def task(**fields: Any) -> Task:
    return Task.model_validate(
        {"id": "t1", "title": GOAL, "writes": ["sum.txt"], "checks": [WRITTEN], **fields}
    )


def select(wanted: Task, *existing: str) -> contract.SelectToolRequest:
    return contract.SelectToolRequest(
        brief=BRIEF,
        task=wanted,
        existing=["sales.csv", *existing],
        protected=["sales.csv"],
        earlier=["Tidy up: done"],
    )


PROMPTS: dict[str, tuple[str, str, Noun]] = {
    "decompose": (
        "decompose",
        "llm",
        contract.DecomposeRequest(
            brief=BRIEF, existing=["sales.csv"], named=["sales.csv", "sum.csv", "b.md"]
        ),
    ),
    "replan": (
        "plan",
        "sequence",
        contract.PlanRequest(
            brief=BRIEF,
            tasks=[task(rounds=1, title=f"{GOAL}\nWhat went wrong before: no sum")],
            problem="the sum was wrong",
        ),
    ),
    "choose": ("select_tool", "json", select(task(before=[MISSING]))),
    "choose again": ("select_tool", "json", select(task(tries=1, attempts=[
        tried(Observation(ok=True, text="6"))]))),
    "choose after a repeat": ("select_tool", "json", select(task(tries=2, attempts=[
        tried(CRASHED), tried(Observation(ok=False, repeated=True))]))),
    "choose with hints": ("select_tool", "json", select(task(tries=1, hints=["'sums' failed"],
        attempts=[tried(Observation(ok=True, text="6"))]))),
    "mend a script": ("select_tool", "json", select(task(tries=1, attempts=[tried(CRASHED)]))),
    "mend code": ("select_tool", "json", select(
        task(writes=["sum.py"], checks=[TESTS], before=[FAILS]), "sum.py", "test_sum.py")),
    "write a function anew": ("select_tool", "json", select(
        task(writes=["sum.py"], checks=[TESTS], before=[FAILS_IN_ADD]), "sum.py", "test_sum.py")),
    "write code another way": ("select_tool", "json", select(
        task(writes=["code.py"], checks=[EXAMPLE], made=["code.py"], tries=2,
             attempts=[split("1"), split("2", "wrote anew: f in code.py")]))),
    "mend code that has examples": ("select_tool", "json", select(
        task(writes=["code.py"], checks=[EXAMPLE], made=["code.py"], tries=2,
             attempts=[split("1"), split("2")]), "code.py")),
    "mend the line of a script that is to run": ("select_tool", "json", select(
        task(writes=["sum.py", "sum.txt"], checks=[RUNS], before=[STOPS]), "sum.py")),
    "write code that has examples": ("select_tool", "json", select(
        task(writes=["code.py"], checks=[EXAMPLE]))),
    "choose natively": ("select_tool", "native", select(task())),
    "act by code": ("select_tool", "code", select(task(tries=1, attempts=[tried(CRASHED)]))),
    "reflect": (
        "reflect",
        "checks_then_llm",
        contract.ReflectRequest(
            brief=BRIEF,
            task=task(checks=[]),
            action=SCRIPT,
            observation=Observation(ok=True, text="6", changed=["sum.txt"]),
            existing=["sales.csv", "sum.txt"],
        ),
    ),
    "reflect by the model": (
        "reflect",
        "llm",
        contract.ReflectRequest(
            brief=BRIEF,
            task=task(),
            action=SCRIPT,
            observation=Observation(ok=True, text="6"),
            evidence=[MISSING],
            existing=["sales.csv"],
        ),
    ),
    "choose after a lesson": ("select_tool", "json", select(task(tries=1, attempts=[
        tried(Observation(ok=True, text="6"), lesson="write the file")]))),
    "plan look-ups": (
        "plan",
        "rewoo",
        contract.PlanRequest(
            brief=BRIEF,
            tasks=[task(writes=[])],
            existing=["sales.csv", "a.md", "b.md"],
        ),
    ),
    "plan look-ups and tasks": (
        "plan",
        "compiler",
        contract.PlanRequest(
            brief=BRIEF,
            tasks=[task(writes=["sum.txt", "mean.txt"])],
            existing=["sales.csv", "a.md", "b.md"],
        ),
    ),
    "review": (
        "review",
        "llm",
        contract.ReviewRequest(
            goal=GOAL,
            brief=BRIEF,
            tasks=[task(status="done", result="wrote 6")],
            evidence=[MISSING.model_copy(update={"passed": True, "detail": ""})],
        ),
    ),
    "report with sources": (
        "report",
        "llm",
        contract.ReportRequest(
            brief=BRIEF,
            status="done",
            tasks=[task(status="done", writes=[], result="6", sources=["sums.md, line 3"])],
        ),
    ),
    "report": (
        "report",
        "llm",
        contract.ReportRequest(
            brief=BRIEF,
            status="failed",
            reason="the sum was wrong",
            tasks=[task(status="done", result="wrote 6")],
            evidence=[MISSING],
            artifacts=["sum.txt"],
        ),
    ),
    "remember": (
        "remember",
        "store",
        contract.RememberRequest(
            goal=GOAL,
            status="done",
            lessons=["python: KeyError: 'amounts'"],
            seen=["read_file: the amounts are in EUR"],
        ),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PROMPTS)
async def test_prompt(
    name: str, use_of, workspace: Path, snapshot: SnapshotAssertion, monkeypatch
) -> None:
    monkeypatch.setattr("replan.nodes.briefing.importable", lambda: ["numpy", "pandas"])
    (workspace / "sum.py").write_text("def add(a, b):\n    return a - b\n")
    role, kind, request = PROMPTS[name]
    edit = {"fault": "minus", "old": "    return a - b", "new": "    return a + b"}
    mend = Move("edit_file", path="sum.py", edits=[edit])
    moves = {
        "mend code": mend,
        "write code that has examples": Move("write_file", "x", path="code.py"),
        "write code another way": Move("write_file", "x", path="code.py"),
    }
    model: Any = ScriptedAgent([moves.get(name, Move("python", "print(6)"))])
    if name == "mend code that has examples":
        (workspace / "code.py").write_text("def f(text):\n    return []\n")
        model = ["```python\ndef f(text):\n    return [text]\n```"]
    if name == "write a function anew":
        test = "from sum import add\n\n\ndef test_add():\n    assert add(1, 1) == 2\n"
        (workspace / "test_sum.py").write_text(test)
        model = ["```python\ndef add(a, b):\n    return a + b\n```"]
    if kind == "native":
        model = [Reply(tool_calls=[("python", {"code": "print(6)"})])]
    async with use_of(model, InMemoryStore()) as (use, server):
        await implementation(role, kind)(request, use)
    told = []
    for body in server.requests:
        told += [f"--- {message['role']}\n{message['content']}" for message in body["messages"]]
        if form := body.get("response_format"):
            told.append(f"--- schema\n{json.dumps(form['json_schema']['schema'], indent=1)}")
    assert "\n".join(told) == snapshot
