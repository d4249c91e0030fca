"""Several attempts at a task side by side, each in its own copy of the workspace."""

from typing import Any

from scripted_agent import Move
from told_tasks import GOAL, Apart, Told, again, files_in, script, writing

from replan.nodes.select_tool.conversation import APPROACHES
from replan.state.task import Check


def attempts(**by_number: Move) -> Any:
    """The move of each attempt at a task, told apart by what it is asked; `n1` to `n3`."""

    def move(text: str) -> Move:
        found = [at for at, approach in enumerate(APPROACHES, start=2) if approach in text]
        return by_number[f"n{found[0] if found else 1}"]

    return Apart(move)


async def test_of_several_attempts_the_first_that_passes_its_checks_wins(start_agent) -> None:
    told = Told(writing("ta", "out.txt"))
    model = attempts(
        n1=script("open('astray.txt', 'w').write('1')"),
        n2=script("open('out.txt', 'w').write('2')"),
        n3=script("open('out.txt', 'w').write('3')"),
    )
    async with start_agent(model, told.roles) as agent:
        result = await agent.run(GOAL, best_of=3)
        assert (result["status"], result["usage"]["steps"]) == ("done", 3)
        assert files_in(agent.workspace) == {"out.txt": "2"}
        [task] = await agent.tasks()
        values = await agent.values()
        done = await again(agent, told)
    assert (task["status"], task["tries"], len(task["attempts"])) == ("done", 0, 1)
    assert (values["copies"], values["contenders"]) == ({}, {})
    assert done.divergence is None
    warmth = [body["temperature"] for body in agent.server.requests if "response_format" in body]
    assert {0.0, 0.4, 0.8} <= set(warmth)


async def test_where_none_passes_the_task_counts_one_failed_attempt(start_agent) -> None:
    """The next attempts begin with the files of the best."""
    task = writing("ta", "out.txt")
    task.checks.append(Check(kind="file_contains", path="out.txt", text="right"))
    told = Told(task)

    def move(text: str) -> Move:
        if "wrong" in text:  # told of the best of the first three
            return script("text = open('out.txt').read()\n"
                          "open('out.txt', 'w').write(text.replace('wrong', 'right'))")  # fmt: skip
        if APPROACHES[0] in text:
            return Move("run_script", path="make.py")  # a one-off script would leave nothing
        return script("open('other.txt', 'w').write('nothing')")

    make = "open('out.txt', 'w').write('wr' + 'ong')\nraise SystemExit('wr' + 'ong')"
    async with start_agent(Apart(move), told.roles) as agent:
        (agent.workspace / "make.py").write_text(make)
        result = await agent.run(f"{GOAL} with make.py", best_of=2)
        [task] = await agent.tasks()
        assert (result["status"], result["usage"]["steps"]) == ("done", 4)
        assert files_in(agent.workspace) == {"out.txt": "right", "make.py": make}
        assert (await again(agent, told)).divergence is None
    assert (task["status"], task["tries"]) == ("done", 1)
    assert [attempt["verdict"] for attempt in task["attempts"]] == ["retry", "done"]


async def test_attempts_that_all_fail_use_up_the_tasks_attempts(start_agent) -> None:
    told = Told(writing("ta", "out.txt"))
    failing = Move("python", "raise SystemExit('no')")
    async with start_agent(attempts(n1=failing, n2=failing), told.roles) as agent:
        result = await agent.run(GOAL, best_of=2, max_attempts=1, max_replans=0)
        [task] = await agent.tasks()
    assert result["status"] == "failed"
    assert (task["status"], task["tries"]) == ("failed", 1)
