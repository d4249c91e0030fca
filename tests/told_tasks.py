"""Runs whose tasks a test tells, with a model that answers each by the request alone."""

from pathlib import Path
from typing import Any

from scripted_agent import Move, ScriptedAgent

from replan.graphs.replay import replay
from replan.nodes.contract import (
    DecomposeRequest,
    DecomposeResult,
    PlanRequest,
    PlanResult,
    Use,
)
from replan.state.task import Check, Task

GOAL = "Do the tasks"


class Apart(ScriptedAgent):
    """Asked by several at the same time, it tells them apart by the request alone."""

    def _text(self, body: dict[str, Any]) -> str:
        self._contents.clear()
        return super()._text(body)


class Told:
    """Plays decompose and plan: the tasks as they are given, and after a failure those for it."""

    def __init__(self, *tasks: Task, then: tuple[Task, ...] = ()) -> None:
        self.tasks, self.then = list(tasks), list(then)
        self.problems: list[str] = []
        self.seen: list[list[str]] = []

    async def decompose(self, request: DecomposeRequest, use: Use) -> DecomposeResult:
        return DecomposeResult(tasks=self.tasks)

    async def plan(self, request: PlanRequest, use: Use) -> PlanResult:
        if not request.problem:
            return PlanResult(tasks=request.tasks)
        self.problems.append(request.problem)
        self.seen.append(request.existing)
        left = [task for task in request.tasks if task.status in ("open", "failed")]
        dropped = [task.model_copy(update={"status": "dropped"}) for task in left]
        return PlanResult(tasks=[*dropped, *self.then])

    @property
    def roles(self) -> dict[str, Any]:
        return {"decompose": self.decompose, "plan": self.plan}


def writing(name: str, path: str, **more: Any) -> Task:
    checks = [Check(kind="file_exists", path=path)]
    return Task(id=name, title=f"{name.upper()} is to write", checks=checks, **more)


def moves(**by_task: Move) -> Any:
    """The move of the task whose name stands last in the request."""

    def move(text: str) -> Move:
        return by_task[max(by_task, key=lambda name: text.rfind(f"{name.upper()} is to"))]

    return Apart(move)


def script(code: str) -> Move:
    return Move("python", code)


def files_in(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): path.read_text().strip()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


async def again(agent: Any, told: Told) -> Any:
    return await replay(agent.kept, agent.thread, roles=told.roles)
