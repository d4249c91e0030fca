"""Whole runs: what the cycle does with success, failure and repetition."""

from typing import Any

import pytest
from scripted_agent import Move, ScriptedAgent

from replan.nodes.contract import ExecuteRequest, ExecuteResult, SelectToolRequest, Use
from replan.nodes.execute.direct import ExecuteDirectly
from replan.state.errors import ContractError, GoalError, ModelAnswerError, SettingError

# Whether hello.txt is to be written has to be asked: the goal could be plainer.
GOAL = "I need hello.txt with the word hello"
WRITE = Move("write_file", "hello", path="hello.txt")
NOTHING = Move("python", "print('thinking about it')")
ELSEWHERE = Move("python", "open('other.txt', 'w').write('hello')")


class Counting:
    """Carries calls out, and counts them."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    async def __call__(self, request: ExecuteRequest, use: Use) -> ExecuteResult:
        self.calls.append(request.action.tool)
        return await ExecuteDirectly()(request, use)


async def listing(request: SelectToolRequest, use: Use) -> list[str]:
    return [request.task.title]


async def failing(request: SelectToolRequest, use: Use) -> None:
    raise KeyError("oops")


async def test_a_goal_is_done_in_one_round(start_agent, memories_of) -> None:
    model = ScriptedAgent([WRITE], report="hello.txt holds hello.")
    async with start_agent(model) as agent:
        result = await agent.run(GOAL)
        assert result["status"] == "done"
        assert result["report"] == "hello.txt holds hello."
        assert agent.read("hello.txt") == "hello"
        [artifact] = result["artifacts"]
        assert (artifact["path"], artifact["change"]) == ("hello.txt", "created")
        assert set(result) == {"status", "report", "artifacts", "usage", "memories"}
        usage = result["usage"]
        assert usage["steps"] == 1
        assert usage["model_calls"] == len(agent.server.requests)
        assert usage["input_tokens"] > usage["output_tokens"] > 0
        assert usage["seconds"] >= usage["model_seconds"] > 0
        nodes = [step.next for step in await agent.history()]
        assert nodes == [
            ("__start__",), ("recall",), ("decompose",), ("plan",), ("select_tool",),
            ("execute",), ("reflect",), ("review",), ("report",), ("remember",), (),
        ]  # fmt: skip
        memories = memories_of(agent.kept)
        [kept] = await memories.browse(["experience"])
        assert (kept.outcome, kept.source.thread) == ("done", agent.thread)


async def test_after_a_failing_check_it_is_told_and_tries_again(start_agent) -> None:
    async with start_agent(ScriptedAgent([ELSEWHERE, WRITE])) as agent:
        result = await agent.run(GOAL)
        assert (result["status"], result["usage"]["steps"]) == ("done", 2)
        [task] = await agent.tasks()
        assert [attempt["verdict"] for attempt in task["attempts"]] == ["retry", "done"]
        choices = [body for body in agent.server.requests if "response_format" in body]
        again = choices[-1]["messages"]
        assert "other.txt" in again[-1]["content"]  # what it did
        assert "hello.txt" in again[-1]["content"]  # what is missing


async def test_the_same_call_on_the_same_files_is_not_made_twice(start_agent) -> None:
    counting = Counting()
    model = ScriptedAgent([NOTHING, NOTHING, WRITE])
    async with start_agent(model, {"execute": counting}) as agent:
        assert (await agent.run(GOAL))["status"] == "done"
        [task] = await agent.tasks()
    assert counting.calls == ["python", "write_file"]
    assert [attempt["observation"]["repeated"] for attempt in task["attempts"]] == [
        False,
        True,
        False,
    ]
    assert "thinking about it" in task["attempts"][1]["observation"]["error"]


async def test_a_script_that_failed_in_a_line_is_mended_by_its_lines(start_agent) -> None:
    broken = Move("python", "text = 'hello'\nopen('hello.txt', 'w').write(texts)")
    mended = Move("python", "open('hello.txt', 'w').write('hello')")
    model = ScriptedAgent([broken, mended])
    async with start_agent(model) as agent:
        assert (await agent.run(GOAL))["status"] == "done"
        assert agent.read("hello.txt") == "hello"
        [task] = await agent.tasks()
    assert model.asked == [
        *("decompose", "select_tool", "content", "mend_script", "report", "remember")
    ]
    assert "'texts' is not defined" in task["attempts"][0]["observation"]["error"]
    assert task["attempts"][1]["action"]["args"]["code"].startswith("open('hello.txt'")


async def test_code_whose_tests_fail_is_mended_by_its_lines(start_agent) -> None:
    edit = {"fault": "minus", "old": "    return a - b", "new": "    return a + b"}
    model = ScriptedAgent([Move("edit_file", path="sums.py", edits=[edit])])
    async with start_agent(model) as agent:
        (agent.workspace / "sums.py").write_text("def add(a, b):\n    return a - b\n")
        (agent.workspace / "test_sums.py").write_text(
            "from sums import add\n\n\ndef test_add():\n    assert add(2, 3) == 5\n",
        )
        result = await agent.run("Make the tests pass without changing test_sums.py")
        assert (result["status"], result["usage"]["steps"]) == ("done", 1)
        assert "a + b" in agent.read("sums.py")
    choices = [
        body["response_format"]["json_schema"]
        for body in agent.server.requests
        if "response_format" in body
    ]
    assert [choice["name"] for choice in choices] == ["decompose", "select_tool"]
    assert list(choices[-1]["schema"]["properties"]) == ["call"]


async def test_after_the_last_attempt_it_plans_anew_and_is_told_why(start_agent) -> None:
    model = ScriptedAgent([NOTHING, ELSEWHERE, WRITE])
    async with start_agent(model) as agent:
        result = await agent.run(GOAL, max_attempts=2)
        assert result["status"] == "done"
        assert model.asked.count("replan") == 0  # begun afresh, it needs no opinion
        dropped, fresh = await agent.tasks()
        assert (dropped["status"], fresh["status"]) == ("dropped", "done")
        assert "What went wrong before: " in fresh["title"]
        assert (await agent.values())["replans"] == 1


async def test_it_fails_when_planning_anew_does_not_help(start_agent) -> None:
    model = ScriptedAgent([ELSEWHERE], report="All done and perfect.")
    async with start_agent(model) as agent:
        result = await agent.run(GOAL, max_attempts=1, max_replans=2)
        assert result["status"] == "failed"
        assert model.asked.count("replan") == 1  # the first time it is begun afresh
        assert result["usage"]["steps"] == 3
    assert result["report"].startswith("Not done.")
    assert "FAILED: hello.txt: it does not exist" in result["report"]


async def test_the_goal_itself_is_checked_in_the_end(start_agent) -> None:
    """The second task undoes the first: every task is done, the goal is not."""
    undo = "import os\nos.remove('a.txt')\nopen('b.txt', 'w').write('two')"
    moves = [
        Move("python", "open('a.txt', 'w').write('one')"),
        Move("python", undo),
        Move("python", "open('a.txt', 'w').write('one, mended')"),
    ]
    tasks = [
        {"title": "Write one to a.txt", "writes": ["a.txt"]},
        {"title": "Write two to b.txt, without a.txt", "writes": ["b.txt"]},
    ]
    async with start_agent(ScriptedAgent(moves, tasks=tasks)) as agent:
        result = await agent.run("Write one to a.txt. Then write two to b.txt, without a.txt.")
        assert (result["status"], result["usage"]["steps"]) == ("done", 3)
        done = await agent.tasks()
        assert [task["status"] for task in done] == ["done", "done", "done"]
        assert done[2]["writes"] == ["a.txt"]
        assert agent.read("a.txt") == "one, mended"


async def test_what_a_task_has_finished_another_does_not_spoil(start_agent) -> None:
    spoil = "open('a.txt', 'w').write('two')\nopen('b.txt', 'w').write('two')"
    moves = [Move("python", "open('a.txt', 'w').write('one')"), Move("python", spoil)]
    tasks = [
        {"title": "Write one to a.txt", "writes": ["a.txt"]},
        {"title": "Write two to b.txt", "writes": ["b.txt"]},
    ]
    async with start_agent(ScriptedAgent(moves, tasks=tasks)) as agent:
        result = await agent.run("Write one to a.txt. Write two to b.txt.")
        assert (result["status"], result["usage"]["steps"]) == ("done", 2)
        assert agent.read("a.txt") == "one"


async def test_a_file_to_be_read_only_is_put_back(start_agent) -> None:
    spoil = "open('data.txt', 'w').write('spoilt')\nopen('sum.txt', 'w').write('6')"
    async with start_agent(ScriptedAgent([Move("python", spoil)])) as agent:
        (agent.workspace / "data.txt").write_text("1\n2\n3\n")
        result = await agent.run("Add up data.txt into sum.txt")
        assert agent.read("data.txt") == "1\n2\n3"
        assert result["status"] == "done"
        assert [artifact["path"] for artifact in result["artifacts"]] == ["sum.txt"]


async def test_independent_tasks_run_side_by_side(start_agent) -> None:
    tasks = [
        {"title": "ALPHA: one to a.txt", "writes": ["a.txt"]},
        {"title": "BETA: two to b.txt", "writes": ["b.txt"]},
    ]

    def move(prompt: str) -> Move:
        name = "a.txt" if "ALPHA" in prompt else "b.txt"
        return Move("write_file", f"text of {name}", path=name)

    async with start_agent(ScriptedAgent(move, tasks=tasks)) as agent:
        result = await agent.run("Write one to a.txt and two to b.txt", plan="dag")
        assert (result["status"], result["usage"]["steps"]) == ("done", 2)
        assert agent.read("a.txt") == "text of a.txt"
        assert agent.read("b.txt") == "text of b.txt"
        steps = [step.next for step in await agent.history()]
    for node in ("select_tool", "execute", "reflect"):
        assert (node, node) in steps
    assert steps.count(("review",)) == 1


async def test_an_own_implementation_is_given_as_object_or_by_name(start_agent) -> None:
    counting = Counting()
    async with start_agent(ScriptedAgent([WRITE]), {"execute": counting}) as agent:
        result = await agent.run(GOAL, report="replan.nodes.report.template:ReportByTemplate")
        assert result["report"].startswith("Done.")
    assert counting.calls == ["write_file"]


@pytest.mark.parametrize(
    ("mine", "said"),
    [
        (listing, "select_tool answered with list, not SelectToolResult"),
        (failing, "select_tool failed: KeyError: 'oops'"),
    ],
)
async def test_a_broken_implementation_is_named_and_the_run_resumable(
    start_agent, mine: Any, said: str
) -> None:
    async with start_agent(ScriptedAgent([WRITE]), {"select_tool": mine}) as agent:
        with pytest.raises(ContractError, match=said):
            await agent.run(GOAL)
        assert (await agent.graph.aget_state(agent.config)).next == ("select_tool",)


async def test_unknown_roles_and_implementations_are_named(start_agent) -> None:
    with pytest.raises(SettingError, match=r"no role 'planner'.*select_tool"):
        async with start_agent(ScriptedAgent([WRITE]), {"planner": listing}):
            pytest.fail("built")
    async with start_agent(ScriptedAgent([WRITE])) as agent:
        with pytest.raises(SettingError, match=r"no implementation 'htn'.*dag, rewoo, sequence"):
            await agent.run(GOAL, plan="htn")
        with pytest.raises(GoalError):
            await agent.run(" ")


@pytest.mark.parametrize("broken", ['{"files": ', "", "I am sorry, I cannot do that."])
async def test_a_model_that_never_answers_usably_leaves_the_thread_resumable(
    start_agent, broken: str
) -> None:
    good, bad = ScriptedAgent([WRITE]), [True]
    async with start_agent(lambda body: broken if bad else good(body)) as agent:
        with pytest.raises(ModelAnswerError, match="3 attempts"):
            await agent.run(GOAL)
        assert len(agent.server.requests) == 3
        bad.clear()
        result = await agent.run(None)
        assert result["status"] == "done"
        assert agent.read("hello.txt") == "hello"


@pytest.mark.parametrize(
    "odd",
    [
        Move("write_file", "other \ud800", path="other.txt"),
        Move("python", "print('\ud800')"),
        Move("read_file", path="\ud800.txt"),
        Move("list_files", folder="a\0b"),
    ],
    ids=lambda move: str(move.call["tool"]),
)
async def test_half_a_character_in_a_call_does_not_stop_the_run(start_agent, odd: Move) -> None:
    """JSON can spell it, and UTF-8 cannot: the next request could not be sent."""
    async with start_agent(ScriptedAgent([odd, WRITE])) as agent:
        assert (await agent.run(GOAL))["status"] == "done"
