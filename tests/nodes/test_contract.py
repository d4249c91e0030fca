"""Every registered implementation of every role keeps its contract."""

from pathlib import Path
from typing import Any

import pytest
from langgraph.store.memory import InMemoryStore
from openai_server import Reply
from scripted_agent import Move, ScriptedAgent

from replan.nodes import contract
from replan.nodes.contract import CONTRACTS, Brief
from replan.nodes.registry import BUILT_IN, implementation
from replan.nodes.testing import TRIALS, violations
from replan.state.errors import ModelAnswerError
from replan.state.noun import Noun
from replan.state.task import Action, Attempt, Check, CheckResult, Observation, Task

GOAL = "Add up the amounts in sales.csv and write the sum to sum.txt"
BRIEF = Brief(goal=GOAL, constraints=["be exact"], survey="Files in the workspace: sales.csv")
WRITTEN = Check(kind="file_exists", path="sum.txt")
MISSING = CheckResult(check=WRITTEN, passed=False, detail="there is no such file")
ACTION = Action(tool="python", args={"code": "print(6)"}, thought="compute")
SEEN = Observation(ok=True, text="6", exit_code=0)
TASK = Task(
    id="t1",
    title=GOAL,
    writes=["sum.txt"],
    checks=[WRITTEN],
    before=[MISSING],
    tries=1,
    rounds=1,
    attempts=[Attempt(action=ACTION, observation=SEEN, evidence=[MISSING], reason="no file")],
)
DONE = TASK.model_copy(update={"status": "done"})
REQUESTS: dict[str, list[Noun]] = {
    "recall": [
        contract.RecallRequest(goal=GOAL),
        contract.RecallRequest(goal=GOAL, task=TASK),
        contract.RecallRequest(goal=GOAL, task=TASK, problem="it crashed"),
    ],
    "decompose": [
        contract.DecomposeRequest(
            brief=BRIEF, existing=["sales.csv"], named=["sales.csv", "sum.txt"]
        ),
        contract.DecomposeRequest(brief=Brief(goal="Tidy up. Then rest. Then sing.")),
    ],
    "plan": [
        contract.PlanRequest(brief=BRIEF, tasks=[TASK.model_copy(update={"attempts": []})]),
        contract.PlanRequest(
            brief=BRIEF, tasks=[TASK], checks=[WRITTEN], problem="it failed", avoid=["python: x"]
        ),
        contract.PlanRequest(brief=BRIEF, tasks=[], checks=[WRITTEN], problem="it failed"),
    ],
    "select_tool": [
        contract.SelectToolRequest(
            brief=BRIEF, task=TASK, existing=["sales.csv"], protected=["sales.csv"]
        ),
        contract.SelectToolRequest(brief=BRIEF, task=Task(id="t1", title="Look around")),
    ],
    "execute": [
        contract.ExecuteRequest(action=ACTION),
        contract.ExecuteRequest(action=Action(tool="no_such_tool")),
    ],
    "reflect": [
        contract.ReflectRequest(
            brief=BRIEF, task=TASK, action=ACTION, observation=SEEN, evidence=[MISSING]
        ),
        contract.ReflectRequest(brief=BRIEF, task=TASK, action=ACTION, observation=SEEN),
    ],
    "review": [
        contract.ReviewRequest(goal=GOAL, tasks=[TASK]),
        contract.ReviewRequest(goal=GOAL, tasks=[TASK], evidence=[MISSING], limit="no more"),
        contract.ReviewRequest(goal=GOAL, brief=BRIEF, tasks=[DONE]),
    ],
    "report": [
        contract.ReportRequest(
            brief=BRIEF,
            status=status,
            reason="so it went",
            tasks=[TASK],
            evidence=[MISSING],
            artifacts=["sum.txt"],
        )
        for status in ("done", "failed", "stopped")
    ],
    "remember": [
        contract.RememberRequest(goal=GOAL, status="failed", report="No.", lessons=["use csv"]),
        contract.RememberRequest(goal=GOAL, status="failed", task=TASK),
        contract.RememberRequest(goal=GOAL, status="done", task=TASK, refuted=["0" * 32]),
    ],
}
CASES = [
    pytest.param(role, name, trial, id=f"{role}-{name}-{trial}")
    for role in BUILT_IN
    for name in BUILT_IN[role]
    for trial in TRIALS
]
ASKS_THE_MODEL = [
    ("decompose", "llm"),
    ("plan", "sequence"),
    ("plan", "dag"),
    ("plan", "rewoo"),
    ("plan", "compiler"),
    ("select_tool", "json"),
    ("select_tool", "native"),
    ("select_tool", "code"),
    ("reflect", "checks_then_llm"),
    ("reflect", "llm"),
    ("review", "llm"),
    ("report", "llm"),
]
# The first of the requests that the model is asked about.
ASKED_AT = {"decompose": 1, "plan": 1, "reflect": 1, "review": 2}
# Asked when the work is done: an answer that cannot be used is no error any more.
ASKS_IF_IT_CAN = [("remember", "store")]
SCRIPT = ScriptedAgent([Move("python", "print(6)")])


def answer(body: dict[str, Any]) -> Any:
    if "tools" in body:
        return Reply(tool_calls=[("python", {"code": "print(6)"})])
    return SCRIPT(body)


@pytest.mark.parametrize(("role", "name", "trial"), CASES)
async def test_every_implementation_passes_every_trial_of_the_kit(
    role: str, name: str, trial: str
) -> None:
    assert await violations(role, implementation(role, name), [trial]) == []


@pytest.mark.parametrize(("role", "name"), [("recall", "store"), ("remember", "store")])
async def test_without_a_store_there_is_just_no_memory(use_of, role: str, name: str) -> None:
    async with use_of([]) as (use, _):
        result = await implementation(role, name)(REQUESTS[role][0], use)
    assert result == CONTRACTS[role].result()


@pytest.mark.parametrize(("role", "name"), ASKS_THE_MODEL)
async def test_a_model_that_refuses_is_an_error_that_says_so(use_of, role: str, name: str) -> None:
    request = REQUESTS[role][ASKED_AT.get(role, 0)]
    async with use_of(lambda body: Reply(refusal="No.")) as (use, server):
        with pytest.raises(ModelAnswerError, match="refusal"):
            await implementation(role, name)(request.model_copy(deep=True), use)
        assert len(server.requests) == 3
        assert use.model.usage["model_calls"] == 3


async def test_no_other_implementation_asks_the_model(use_of) -> None:
    async with use_of([], InMemoryStore()) as (use, server):
        for role, names in BUILT_IN.items():
            for name in names:
                if (role, name) not in [*ASKS_THE_MODEL, *ASKS_IF_IT_CAN]:
                    for request in REQUESTS[role]:
                        await implementation(role, name)(request.model_copy(deep=True), use)
        assert server.requests == []


async def test_every_prompt_begins_alike(use_of, workspace: Path) -> None:
    """Servers keep a prefix that stays the same; goal and surroundings stand first."""
    (workspace / "sales.csv").write_text("region,amount\nnorth,1\nsouth,5\n")
    beginnings = set()
    async with use_of(answer) as (use, server):
        for role, name in ASKS_THE_MODEL:
            for request in REQUESTS[role]:
                if getattr(request, "brief", None) == BRIEF:
                    await implementation(role, name)(request.model_copy(deep=True), use)
        assert len(server.requests) >= len(ASKS_THE_MODEL)
        for body in server.requests:
            system, first = (message["content"] for message in body["messages"][:2])
            beginnings.add((system, first[: len(GOAL) + len(BRIEF.survey)]))
    assert len(beginnings) == 1
