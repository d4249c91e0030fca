"""What a research report is made of, and the channels of the graph that makes it.

Like the agent's, the channels hold plain JSON.
"""

from typing import Annotated, Any, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from replan.state.agent_state import folder_now, later_revision, latest
from replan.state.noun import Noun
from replan.state.task import Source
from replan.state.usage import Usage, add_usage


class Section(Noun):
    """A section of the outline: its heading, and the question that it answers."""

    id: str
    heading: str
    question: str


class Claim(Noun):
    """A statement, and what it rests on: a passage, word for word, of a source.

    `problem` says why the source does not hold the statement; then it is not to be cited. `quoted`
    where the passage itself stands in the place of a statement.
    """

    section: str
    text: str
    source: Source
    passage: str
    problem: str = ""
    quoted: bool = False


class Citation(Noun):
    """One place of the report: the number of the source there, the statement, what holds it."""

    number: int
    section: str
    claim: str
    source: str
    title: str = ""
    place: str = ""
    passage: str = ""


class Found(Noun):
    """What came of a section: how its agent ended, and why, and its claims."""

    status: str
    reason: str = ""
    claims: list[Claim] = Field(default_factory=list)


def merge_found(known: dict[str, Any] | None, new: dict[str, Any] | None) -> dict[str, Any]:
    """Reducer: what came of the sections, by id; sections side by side write each their own."""
    return {**(known or {}), **(new or {})}


class ResearchInput(TypedDict):
    """What a caller gives: the goal in words, and further constraints."""

    goal: str
    constraints: NotRequired[list[str]]


class ResearchOutput(TypedDict):
    """What a caller gets. `status` is done, failed (no source holds anything) or stopped (by a
    limit), `reason` why. `citations` are JSON of `Citation`; `dropped` are the claims that their
    sources do not hold, JSON of `Claim`, none of which is in the report.
    """

    status: str
    reason: str
    report: str
    citations: list[dict[str, Any]]
    dropped: list[dict[str, Any]]
    artifacts: list[dict[str, Any]]
    usage: Usage


class ResearchState(TypedDict, total=False):
    """All channels of the research graph. `found` is what came of each section, `claims` what is
    left of that after the check.
    """

    goal: str
    constraints: list[str]
    workspace: Annotated[str, folder_now]
    revision: Annotated[str, later_revision]
    title: str
    sections: list[dict[str, Any]]
    found: Annotated[dict[str, Any], merge_found]
    claims: list[dict[str, Any]]
    usage: Annotated[Usage, add_usage]
    short: Annotated[str, latest]
    status: str
    reason: str
    report: str
    citations: list[dict[str, Any]]
    dropped: list[dict[str, Any]]
    artifacts: list[dict[str, Any]]


class SectionBranch(TypedDict, total=False):
    """What a section carries with it: itself, the goal, its share of the limits, and what its
    agent has found.
    """

    goal: str
    constraints: list[str]
    workspace: str
    revision: str
    section: dict[str, Any]
    status: str
    reason: str
    sources: list[dict[str, Any]]
    remaining_seconds: float
    remaining_tokens: int | None
    remaining_dollars: float | None
    remaining_steps: int
