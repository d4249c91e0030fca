"""The kit names each way in which an implementation can break its contract."""

import asyncio
import re
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import HumanMessage

from replan.nodes.contract import (
    CONTRACTS,
    DecomposeResult,
    PlanRequest,
    PlanResult,
    ReportResult,
    ReviewResult,
    SelectToolResult,
    Use,
)
from replan.nodes.testing import TRIALS, check_contract, requests_of, violations
from replan.state.errors import ContractError, SettingError
from replan.state.task import Action, Task

DOCS = Path(__file__).parents[3] / "docs" / "nodes.md"


def planned(request: PlanRequest) -> list[Task]:
    """What keeps the contract: what is left, in a row."""
    left = [task for task in request.tasks if task.status in ("open", "failed")]
    fresh = [task.model_copy(update={"status": "open", "depends_on": []}) for task in left]
    return fresh or [Task(id=f"t{len(request.tasks) + 1}", title=request.brief.goal)]


class Good:
    async def __call__(self, request: PlanRequest, use: Use) -> PlanResult:
        return PlanResult(tasks=planned(request))


async def no_use(request: PlanRequest) -> PlanResult:
    return PlanResult(tasks=[])


def not_async(request: PlanRequest, use: Use) -> PlanResult:
    return PlanResult(tasks=planned(request))


async def a_list(request: PlanRequest, use: Use) -> list[Task]:
    return planned(request)


async def raising(request: PlanRequest, use: Use) -> PlanResult:
    raise KeyError("oops")


async def changing(request: PlanRequest, use: Use) -> PlanResult:
    tasks = planned(request)
    request.tasks.clear()
    return PlanResult(tasks=tasks)


async def set_wrongly(request: PlanRequest, use: Use) -> PlanResult:
    result = PlanResult(tasks=planned(request))
    result.tasks[0].status = "half"  # type: ignore[assignment]
    return result


async def with_nul(request: PlanRequest, use: Use) -> PlanResult:
    return PlanResult(tasks=[task.model_copy(update={"result": "\0"}) for task in planned(request)])


async def with_half_a_character(request: PlanRequest, use: Use) -> PlanResult:
    return PlanResult(
        tasks=[task.model_copy(update={"result": "\ud800"}) for task in planned(request)]
    )


async def blocking(request: PlanRequest, use: Use) -> PlanResult:
    time.sleep(1.5)  # noqa: ASYNC251
    return PlanResult(tasks=planned(request))


async def reading(request: PlanRequest, use: Use) -> PlanResult:
    Path(__file__).read_text()  # noqa: ASYNC240
    return PlanResult(tasks=planned(request))


async def swallowing(request: PlanRequest, use: Use) -> PlanResult:
    with suppress(BaseException):
        await use.model.text([HumanMessage("plan it")], max_tokens=10)
    return PlanResult(tasks=planned(request))


async def hiding_the_limit(request: PlanRequest, use: Use) -> PlanResult:
    try:
        await use.model.text([HumanMessage("plan it")], max_tokens=10)
    except Exception as error:
        raise ValueError("no plan") from error
    return PlanResult(tasks=planned(request))


async def needing_a_store(request: PlanRequest, use: Use) -> PlanResult:
    assert use.store is not None, "no store"
    return PlanResult(tasks=planned(request))


async def choking_on_braces(request: PlanRequest, use: Use) -> PlanResult:
    request.brief.goal.format(name=1)
    return PlanResult(tasks=planned(request))


class Shared:
    """Keeps what belongs to one request in the object."""

    async def __call__(self, request: PlanRequest, use: Use) -> PlanResult:
        self.request = request
        await asyncio.sleep(0.05)
        if self.request is not request:
            raise RuntimeError("mixed up")
        return PlanResult(tasks=planned(request))


async def nothing(request: PlanRequest, use: Use) -> PlanResult:
    return PlanResult(tasks=[task.model_copy(update={"status": "dropped"}) for task in
                             request.tasks if task.status != "done"])  # fmt: skip


async def in_a_circle(request: PlanRequest, use: Use) -> PlanResult:
    ids = ["a", "b"]
    return PlanResult(
        tasks=[Task(id=ids[at], title="x", depends_on=[ids[1 - at]]) for at in (0, 1)]
    )


async def on_what_is_not_there(request: PlanRequest, use: Use) -> PlanResult:
    return PlanResult(tasks=[Task(id="a", title="x", depends_on=["z"])])


async def reopening(request: PlanRequest, use: Use) -> PlanResult:
    return PlanResult(tasks=[task.model_copy(update={"status": "open"}) for task in request.tasks])


BROKEN = [
    (no_use, "takes_request_and_use", "it cannot be called with (request, use): "),
    (object(), "takes_request_and_use", "it cannot be called: it is a object"),
    (not_async, "answers_everything", "it is not async: it gave PlanResult at once, asked "),
    (a_list, "answers_everything", "it answered with list, not PlanResult, asked PlanRequest("),
    (raising, "answers_everything", "it failed with KeyError: 'oops', asked PlanRequest("),
    (changing, "answers_everything", "it changed its request in tasks, asked "),
    (set_wrongly, "answers_everything", "a PlanResult that is none: tasks.0.status: "),
    (with_nul, "answers_everything", "with a NUL character, which Postgres refuses"),
    (with_half_a_character, "answers_everything", "that UTF-8 cannot hold"),
    (choking_on_braces, "answers_everything", "it failed with KeyError: 'goal', asked"),
    (nothing, "answers_everything", "it left no open task, though not all were done"),
    (in_a_circle, "answers_everything", "made tasks wait for each other in a circle: a, b"),
    (on_what_is_not_there, "answers_everything", "'a' depend on 'z', which there is not"),
    (reopening, "answers_everything", "made the task 't1', which was done, open"),
    (blocking, "does_not_block", "it blocks the event loop: "),
    (reading, "does_not_block", "it blocks the event loop: "),
    (swallowing, "can_be_cancelled", "it swallows its cancellation: answered all the same"),
    (
        hiding_the_limit,
        "respects_a_spent_budget",
        "it failed with ValueError: no plan when the budget is used up, asked",
    ),
    (
        hiding_the_limit,
        "survives_a_useless_model",
        "ValueError: no plan when the model gives nothing usable, asked",
    ),
    (needing_a_store, "does_without_memory", "AssertionError: no store"),
    (Shared, "answers_side_by_side", "RuntimeError: mixed up when it is asked several"),
]


@pytest.mark.parametrize(
    ("player", "trial", "said"), BROKEN, ids=[f"{at}-{one[1]}" for at, one in enumerate(BROKEN)]
)
async def test_a_violation_is_named_in_one_line(player: Any, trial: str, said: str) -> None:
    found = await violations("plan", player, [trial])
    assert found
    assert any(said in line for line in found), found
    for line in found:
        assert "\n" not in line
        assert " breaks the contract of plan: it " in line


@pytest.mark.parametrize("trial", TRIALS)
async def test_one_that_keeps_it_passes(trial: str) -> None:
    for player in (Good, Good(), "sequence", "replan.nodes.plan.dag:PlanDag"):
        assert await violations("plan", player, [trial]) == []


async def never(request: Any, use: Use) -> None:
    await asyncio.Event().wait()


async def test_one_that_never_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("replan.nodes.testing.trials.ANSWER_SECONDS", 0.2)
    [line] = await violations("execute", never, ["does_without_memory"])
    assert "did not answer within 0.2 s" in line


async def no_task(request: Any, use: Use) -> DecomposeResult:
    return DecomposeResult(tasks=[])


async def unknown_tool(request: Any, use: Use) -> SelectToolResult:
    return SelectToolResult(action=Action(tool="teleport"))


async def wrong_arguments(request: Any, use: Use) -> SelectToolResult:
    return SelectToolResult(action=Action(tool="read_file"))


async def rambling(request: Any, use: Use) -> ReviewResult:
    return ReviewResult(decision="next", reason="one\ntwo")


async def silent(request: Any, use: Use) -> ReportResult:
    return ReportResult(report=" ")


@pytest.mark.parametrize(
    ("role", "player", "said"),
    [
        ("decompose", no_task, "it split a goal into no task at all"),
        ("select_tool", unknown_tool, "a call that cannot be made: there is no tool 'teleport'."),
        ("select_tool", wrong_arguments, "cannot be made: wrong arguments for read_file: 'path'"),
        ("review", rambling, "it gave a reason of several lines"),
        ("report", silent, "it gave an empty report"),
    ],
)
async def test_a_result_without_sense_is_named(role: str, player: Any, said: str) -> None:
    found = await violations(role, player, ["answers_everything"])
    assert any(said in line for line in found), found


@pytest.mark.parametrize("role", CONTRACTS)
def test_there_are_requests_for_each_role_and_each_is_made_anew(role: str) -> None:
    requests = requests_of(role)
    assert len(requests) >= 5
    assert all(type(request) is CONTRACTS[role].request for request in requests)
    assert requests[0] == requests_of(role)[0]
    assert requests[0] is not requests_of(role)[0]


def test_by_a_plain_call() -> None:
    check_contract("plan", Good, ["takes_request_and_use"])
    with pytest.raises(ContractError, match=r"test_kit:no_use breaks the contract of plan"):
        check_contract("plan", no_use)
    with pytest.raises(SettingError, match="no role 'planner'"):
        check_contract("planner", Good)
    with pytest.raises(SettingError, match="no trial 'luck'"):
        check_contract("plan", Good, ["luck"])


def test_by_pytest_in_two_lines(tmp_path: Path) -> None:
    (tmp_path / "test_mine.py").write_text(
        "from replan.nodes.testing import contract_tests\n"
        "from replan.nodes.contract import PlanResult\n"
        "async def mine(request, use):\n"
        "    return [] if request.problem else PlanResult(tasks=request.tasks)\n"
        "test_mine = contract_tests('plan', mine)\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:asyncio"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 1, done.stdout
    assert "it answered with list, not PlanResult" in done.stdout
    assert " passed" in done.stdout
    assert "test_mine[answers_everything]" in done.stdout


async def test_the_planner_of_the_docs_keeps_its_contract() -> None:
    text = await asyncio.to_thread(DOCS.read_text, "utf-8")
    code = re.findall(r"```python\n(.*?)```", text, re.DOTALL)[0]
    scope: dict[str, Any] = {}
    exec(code, scope)
    body = code.partition("class Backwards:\n")[2]
    assert len(body.strip().splitlines()) <= 10
    assert await violations("plan", scope["Backwards"]) == []
