"""What the detail of a skill holds: calls that did a task, or a plan that reached a goal."""

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import Field, ValidationError

from replan.state.noun import Noun
from replan.state.task import Action, Check


class KnownCalls(Noun):
    """Calls that did a task: the goal it was for, its title, and what the files were like.

    `needs` are the files that were there and are named.
    """

    goal: str
    title: str
    calls: list[Action] = Field(min_length=1)
    start: dict[str, str]
    needs: list[str] = Field(default_factory=list)


class KnownTask(Noun):
    """A task of a plan."""

    title: str
    writes: list[str] = Field(default_factory=list)


class KnownPlan(Noun):
    """Tasks that reached a goal, and the checks that it passed."""

    goal: str
    tasks: list[KnownTask] = Field(min_length=1)
    checks: list[Check] = Field(default_factory=list)
    start: dict[str, str]
    needs: list[str] = Field(default_factory=list)


Form = TypeVar("Form", KnownCalls, KnownPlan)


def read_as(form: type[Form], detail: Mapping[str, Any]) -> Form | None:
    """The detail in that form; None where it is of another, or of none: the store is open to
    others too.
    """
    try:
        return form.model_validate(detail)
    except ValidationError:
        return None
