"""Recalls from long-term memory what earlier runs found out, went through, and can do."""

from replan.memory.protocol import Memories
from replan.nodes.contract import RecallRequest, RecallResult, Use
from replan.nodes.named_files import named_files
from replan.nodes.recall.lines import line_of, teaches, within
from replan.nodes.skills.fitting import fitting_calls, fitting_plan
from replan.nodes.skills.forms import KnownCalls, KnownPlan, read_as
from replan.state.memory import Found, Memory, Mention, Recalled
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
        result = _shown(recalled, request)
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
            return _shown(recalled, request)
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


def _shown(recalled: Recalled, request: RecallRequest) -> RecallResult:
    asked = f"{request.goal}\n{request.task.headline if request.task else ''}"
    files = {*named_files(asked), *request.start}
    note = recalled.note
    fitting = [one.memory for one in recalled.found if _alike(one) or note]
    memories = within([one for one in fitting if teaches(one, files)], request.tokens)
    lines = [line_of(memory) for memory in memories]
    return RecallResult(
        memories=[*lines, *([note] if note and lines else [])],
        mentions=[Mention.of(memory, "shown") for memory in memories],
    )


def _alike(found: Found) -> bool:
    return (found.similarity or 0.0) >= LEAST_SIMILAR
