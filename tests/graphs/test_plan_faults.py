"""Plans that cannot be worked on: named in one line, repaired by a replan, and resumable."""

from typing import Any

import pytest
from scripted_agent import Move, ScriptedAgent

from replan.graphs.plan_faults import fault_of
from replan.nodes.contract import PlanRequest, PlanResult, Use
from replan.nodes.plan.sequence import PlanSequence
from replan.state.task import Task

GOAL = "Write the word hello to hello.txt"
WRITE = Move("write_file", "hello", path="hello.txt")


def task(name: str, *after: str, **more: Any) -> Task:
    return Task(id=name, title=GOAL, depends_on=list(after), **more)


CYCLE = [task("t1", "t3"), task("t2", "t1"), task("t3", "t2")]
BAD_PLANS = {
    "cycle": (CYCLE, "has tasks that wait for each other: 't"),
    "itself": ([task("t1", "t1")], "has tasks that wait for each other: 't1' -> 't1'"),
    "unknown": ([task("t1", "t9")], "has the task 't1' wait for 't9', which there is not"),
    "twice": ([task("t1"), task("t1")], "has two tasks with the id 't1'"),
    "1,000": (
        [task(f"t{n}") for n in range(1, 1001)],
        "has 1,000 open tasks, more than 100 (--set max_tasks=N)",
    ),
}


class Planner:
    """Plans badly so often, and then as it should be."""

    def __init__(self, tasks: list[Task], times: int) -> None:
        self.tasks, self.times = tasks, times
        self.told: list[str] = []

    async def __call__(self, request: PlanRequest, use: Use) -> PlanResult:
        self.told.append(request.problem)
        if len(self.told) <= self.times:
            return PlanResult(tasks=[each.model_copy(deep=True) for each in self.tasks])
        return await PlanSequence()(request, use)


def test_a_plan_of_tasks_that_can_be_done_has_no_fault() -> None:
    done = task("t1", "gone", status="done")
    assert fault_of([done], [task("t2", "t1"), task("t3", "t1", "t2")], 100) == ""
    assert fault_of([task("t1", "t2"), task("t2", "t1")], [task("t1")], 100) == ""
    assert fault_of([], [], 100) == ""
    assert fault_of([], [task(f"t{n}") for n in range(100)], 100) == ""


def test_a_long_cycle_is_told_in_one_line() -> None:
    tasks = [task(f"t{n}", f"t{(n + 1) % 50}") for n in range(50)]
    told = fault_of([], tasks, 100)
    assert told.endswith("-> ...")
    assert len(told) < 200


@pytest.mark.parametrize("kind", BAD_PLANS)
async def test_it_is_repaired_by_a_replan(start_agent, kind: str) -> None:
    tasks, said = BAD_PLANS[kind]
    planner = Planner(tasks, times=1)
    async with start_agent(ScriptedAgent([WRITE]), {"plan": planner}) as agent:
        values = await agent.run(GOAL, decompose="none")
        assert (values["status"], agent.read("hello.txt")) == ("done", "hello")
        assert planner.told[0] == ""
        assert said in planner.told[1]
        state = await agent.values()
        assert (state["replans"], len(state["tasks"]), state["problem"]) == (1, 1, "")


@pytest.mark.parametrize("kind", BAD_PLANS)
async def test_where_it_stays_so_the_run_says_why_and_goes_on_with_another_planner(
    start_agent, kind: str
) -> None:
    tasks, said = BAD_PLANS[kind]
    planner = Planner(tasks, times=4)
    async with start_agent(ScriptedAgent([WRITE]), {"plan": planner}) as agent:
        values = await agent.run(GOAL, decompose="none", report="template")
        assert values["status"] == "failed"
        first = values["report"].splitlines()[0]
        assert first.startswith("Not done. the plan of 'sequence' has ")
        assert said in first
        assert len(planner.told) == 3  # and then the limit of replans
        assert "the limit of 2 replans" in first

        # As the command's resume has it: replans anew, and, here, a planner that has mended.
        planner.times = 0
        changed = {"status": "", "report": "", "replans": 0}
        await agent.graph.aupdate_state(agent.config, changed, as_node="reflect")
        values = await agent.run(None, decompose="none")
        assert (values["status"], agent.read("hello.txt")) == ("done", "hello")


async def test_a_plan_without_tasks_becomes_one_for_the_goal(start_agent) -> None:
    class Nothing:
        async def __call__(self, request: Any, use: Use) -> Any:
            from replan.nodes.contract import DecomposeResult

            return DecomposeResult(tasks=[])

    async with start_agent(ScriptedAgent([WRITE]), {"decompose": Nothing()}) as agent:
        values = await agent.run(GOAL, reflect="checks")
        assert (values["status"], agent.read("hello.txt")) == ("done", "hello")
        assert (await agent.values())["replans"] == 1


async def test_more_tasks_are_taken_where_the_run_allows_them(start_agent) -> None:
    tasks = [task(f"t{n}") for n in range(1, 1001)]
    planner = Planner(tasks, times=1)
    async with start_agent(ScriptedAgent([WRITE]), {"plan": planner}) as agent:
        values = await agent.run(GOAL, decompose="none", max_tasks=1000, max_steps=2)
        assert values["status"] == "stopped"  # by the limit of steps
        assert planner.told == [""]
