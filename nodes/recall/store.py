"""Recalls from long-term memory what earlier runs found out, went through, and can do."""

from collections.abc import Sequence

from replan.memory.protocol import Memories
from replan.nodes.contract import RecallRequest, RecallResult, Use
from replan.nodes.recall.lines import line_of, teaches, within
from replan.nodes.skills.fitting import fitting_calls, fitting_plan
from replan.nodes.skills.forms import KnownCalls, KnownPlan, read_as
from replan.state.memory import Found, Memory, Mention
from replan.state.task import Task

_MOST = 3
_SKILLS = 5
# Of unlike memories there is always a nearest one; under this it only leads astray, and costs
# tokens in every prompt. Measured by benchmarks/retrieval.py.
LEAST_SIMILAR = 0.35


class RecallFromStore:
    """Before the plan: facts and experiences as lines, and a plan that fits. Before a tool call:
    the experiences with what went wrong, and calls that fit.
    """

    async def __call__(self, request: RecallRequest, use: Use) -> RecallResult:
        """What fits, within the tokens asked for."""
        if use.memory is None:
            return RecallResult()
        if request.task is None:
            return await self._for_goal(request, use, use.memory)
        return await self._for_task(request, request.task, use, use.memory)

    async def _for_goal(self, request: RecallRequest, use: Use, memory: Memories) -> RecallResult:
        recalled = await memory.recall(
            request.goal,
            kinds=("fact", "experience"),
            most=_MOST,
            least_similar=LEAST_SIMILAR,
        )
        result = _shown(recalled.found, request.tokens, recalled.note)
        for skill in await _skills(memory, request.goal, use.thread_id):
            plan = read_as(KnownPlan, skill.detail)
            if plan is None:
                continue
            result.tasks, result.checks = fitting_plan(plan, request.goal, request.start)
            if result.tasks:
                result.mentions.append(Mention.of(skill, "followed"))
                break
        return result

    async def _for_task(
        self, request: RecallRequest, task: Task, use: Use, memory: Memories
    ) -> RecallResult:
        if request.problem:
            recalled = await memory.recall(
                f"{task.headline}\n{request.problem}",
                kinds=("experience",),
                most=_MOST,
                least_similar=LEAST_SIMILAR,
            )
            return _shown(recalled.found, request.tokens, recalled.note)
        result = RecallResult()
        for skill in await _skills(memory, task.headline, use.thread_id):
            known = read_as(KnownCalls, skill.detail)
            if known is None:
                continue
            result.calls = fitting_calls(known, request.goal, task.headline, request.start)
            if result.calls:
                result.mentions.append(Mention.of(skill, "followed"))
                break
        return result


async def _skills(memory: Memories, query: str, thread_id: str) -> list[Memory]:
    """The skills for goals like this one that another run proved: not those told, and not those of
    this thread, whose fork, or whose second goal, is to go otherwise.
    """
    recalled = await memory.recall(
        query, kinds=("skill",), most=_SKILLS, least_similar=LEAST_SIMILAR
    )
    sources = [(one.memory, one.memory.source) for one in recalled.found]
    return [
        memory
        for memory, source in sources
        if not source.told_by and source.thread and source.thread != thread_id
    ]


def _shown(found: Sequence[Found], tokens: int, note: str) -> RecallResult:
    fitting = [one.memory for one in found if (one.similarity or 0.0) >= LEAST_SIMILAR or note]
    memories = within([memory for memory in fitting if teaches(memory)], tokens)
    lines = [line_of(memory) for memory in memories]
    return RecallResult(
        memories=[*lines, *([note] if note and lines else [])],
        mentions=[Mention.of(memory, "shown") for memory in memories],
    )
