"""Keeps in long-term memory what a run, or one task of it, has to teach."""

from replan.memory.protocol import Memories
from replan.memory.record import too_long
from replan.nodes.contract import RememberRequest, RememberResult, Use
from replan.nodes.remember.extracting import extracted
from replan.nodes.skills.learning import plan_of_run, skill_of_task
from replan.state.memory import Memory, Mention, Source
from replan.state.secret_values import holds_secret
from replan.state.task import Task

_TRIED = 3
_CHARS = 300
# Of a long goal, and of lessons, a memory keeps the beginning.
_GOAL_CHARS = 2000


class RememberInStore:
    """A task that passed its checks: its calls, as a skill. A task that failed: what was tried.
    A run: how it ended, its plan if that reached the goal, and what the model, asked once, finds
    worth knowing; it is asked only where something went wrong or something was read.
    """

    async def __call__(self, request: RememberRequest, use: Use) -> RememberResult:
        """Keep it, with where it comes from; what is known is counted there, and what
        holds a configured key, or more than a memory may hold, is left out.
        """
        if use.memory is None:
            return RememberResult()
        if request.task is not None:
            learned = _of_task(request, request.task)
        else:
            learned = await _of_run(request, use)
        source = Source(thread=use.thread_id, checkpoint=use.checkpoint_id)
        learned = [
            memory.model_copy(update={"source": source})
            for memory in learned
            if not holds_secret(memory.model_dump_json()) and not too_long(memory)
        ]
        return RememberResult(learned=await _kept(use.memory, learned, request.refuted))


async def _kept(memory: Memories, learned: list[Memory], refuted: list[str]) -> list[Mention]:
    if not learned:
        return []
    kept = await memory.keep(learned, superseded=refuted)
    return [
        Mention.of(memory.model_copy(update={"id": one.id}), one.how)
        for one, memory in zip(kept, learned, strict=True)
    ]


def _of_task(request: RememberRequest, task: Task) -> list[Memory]:
    if request.status == "done":
        skill = skill_of_task(task, request.goal)
        if skill:
            return [skill]
        text = f"For the task '{task.headline[:_CHARS]}' the calls of an earlier run failed."
        return [Memory(kind="experience", text=text, outcome="done")] if request.refuted else []
    tried = [
        f"{one.action.tool}: {(one.observation.error or one.reason)[:_CHARS]}"
        for one in task.attempts
    ]
    tried = list(dict.fromkeys(tried))[-_TRIED:]
    text = f"The task '{task.headline[:_CHARS]}' failed. Tried: {'; '.join(tried)}"
    return [
        Memory(kind="experience", text=text, outcome="failed", detail={"tried": tried})
    ] if tried else []  # fmt: skip


async def _of_run(request: RememberRequest, use: Use) -> list[Memory]:
    lesson, facts = await extracted(request, use)
    text = f"'{request.goal[:_CHARS]}' ended {request.status}."
    if request.lessons:
        text += f" On the way failed: {'; '.join(request.lessons)[:_CHARS]}."
    if lesson:
        text += f" Lesson: {lesson}"
    experience = Memory(
        kind="experience",
        text=text,
        outcome=request.status,
        detail={
            "goal": request.goal[:_GOAL_CHARS],
            "tried": [tried[:_CHARS] for tried in request.lessons],
            "lesson": lesson,
        },
    )
    learned = [experience, *(Memory(kind="fact", text=fact) for fact in facts)]
    if request.status == "done":
        plan = plan_of_run(request.goal, request.tasks, request.checks, request.start)
        learned += [plan] if plan else []
    return learned
