"""Has the model write the report, from facts that it cannot change."""

import re

from replan.nodes.briefing import briefing
from replan.nodes.contract import ReportRequest, ReportResult, Use
from replan.nodes.excerpt import excerpts
from replan.nodes.language import language_of
from replan.nodes.report.citations import numbered, with_sources
from replan.nodes.report.template import ReportByTemplate, facts, headline

ASK = """\
The work has ended. These are the facts:
{facts}
{tell} Say only what the facts say. No heading, no code. {cite}Write in {language}."""
# Told to tell what was done, it tells of the user and of these instructions; told to answer, it
# answers.
TELL = (
    "Tell the user in at most four short sentences what was done and what the result is; if the "
    "goal asks a question, answer it from the facts."
)
ANSWER = (
    "Now answer the goal, briefly, with all names and numbers that it asks for. Begin with the "
    "answer; do not tell how it was found."
)
CITE = "Behind each fact put the number of its source in brackets, such as [1]. "
_FOUND_CHARS = 1500
_SENTENCE = re.compile(r".+?(?:[.!?](?=\s|$)|[。！？]|\n|$)\s*", re.DOTALL)
_LEAST_CHARS = 20  # Shorter ones may well be said twice.
_ALL_FOUND_CHARS = 8000


class ReportByModel:
    """Status and failing checks are put down as they are; only the telling is the model's."""

    async def __call__(self, request: ReportRequest, use: Use) -> ReportResult:
        """The report; by template when a stopped run has no budget left for a model call."""
        if request.status == "stopped":
            return await ReportByTemplate()(request, None)
        numbers = numbered(request.tasks)
        known = [headline(request), *facts(request, numbers, _found(request))]
        ask = ASK.format(
            facts="\n".join(known),
            tell=TELL if _changed_files(request) else ANSWER,
            cite=CITE if numbers else "",
            language=language_of(request.brief.goal),
        )
        messages = briefing(request.brief, use.tools, ask)
        told = said_once(await use.model.text(messages, max_tokens=250)).strip()
        told = with_sources(told, numbers)
        if request.status == "done":
            return ReportResult(report=told)
        # A failure is never left to the model to word.
        failing = [result.describe() for result in request.evidence if not result.passed]
        return ReportResult(report="\n".join([headline(request), told, *failing]))


def _changed_files(request: ReportRequest) -> bool:
    return any(
        task.writes or any(attempt.observation.changed for attempt in task.attempts)
        for task in request.tasks
    )


def said_once(text: str) -> str:
    """The text up to the first sentence that it has said before: from there on a small model goes
    round in circles, until its limit cuts it off. A sentence that was cut off goes with it.
    """
    said: set[str] = set()
    kept = []
    for sentence in _SENTENCE.findall(text):
        words = " ".join(sentence.split())
        if len(words) >= _LEAST_CHARS and words in said:
            break
        said.add(words)
        kept.append(sentence)
    told = "".join(kept)
    return told if told == text else told.rstrip()


def _found(request: ReportRequest) -> dict[str, str]:
    """What was found by tasks that wrote no file: there the answer is, and not in a file."""
    tasks = [task for task in request.tasks if task.status == "done" and not task.writes]
    room = min(_FOUND_CHARS, _ALL_FOUND_CHARS // max(1, len(tasks)))
    goal = request.brief.goal
    return {
        task.id: "\n".join(
            excerpts(task.found if len(task.found) > 1 else [task.brought], goal, room)
        )
        for task in tasks
    }
