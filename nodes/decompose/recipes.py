"""Recipes: named lists of tasks with placeholders, from TOML files, for work that comes again.

    about = "The sales of a week as a report"

    [values]                    # defaults; a placeholder that is not here has to be given
    language = "English"

    [[tasks]]
    name = "totals"
    title = "Write the totals per region of sales_{{week}}.csv to totals_{{week}}.csv"
    writes = ["totals_{{week}}.csv"]

    [[tasks]]
    title = "Write report_{{week}}.md in {{language}} from $totals"
    writes = ["report_{{week}}.md"]
    after = ["totals"]

    [[checks]]
    kind = "file_contains"
    path = "report_{{week}}.md"
    text = "{{week}}"

A task may give its tool calls (`calls`): then no model is asked for them.
"""

import re
import shlex
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from replan.nodes.decompose.checks_of_goal import checks_of_files
from replan.nodes.references import NAME, renamed_references
from replan.state.errors import SettingError
from replan.state.noun import Noun
from replan.state.task import Action, Check, Task

ENDING = ".toml"
_MOST_BYTES = 1_000_000
_CALLED = re.compile(r"\s*(?:recipe|配方)\s*[:：]\s*(\S.*)", re.IGNORECASE | re.DOTALL)
# Two braces: one is code or JSON.
_PLACE = re.compile(r"\{\{\s*([A-Za-z_]\w*)\s*\}\}")


class RecipeTask(Noun):
    """A task of a recipe. `name` is what others call it by, in `after` and as `$name`."""

    title: str = Field(min_length=1)
    name: str = ""
    writes: list[str] = Field(default_factory=list)
    after: list[str] = Field(default_factory=list)
    calls: list[Action] = Field(default_factory=list)


class Recipe(Noun):
    """What a recipe file holds."""

    about: str = ""
    values: dict[str, str | int | float | bool] = Field(default_factory=dict)
    tasks: list[RecipeTask] = Field(min_length=1)
    checks: list[Check] = Field(default_factory=list)


@dataclass(frozen=True)
class Order:
    """A recipe by its name or file, and the values for its placeholders."""

    recipe: str
    values: Mapping[str, str]


def ordered_in(goal: str) -> str:
    """What follows `recipe:` where a goal begins so, "" otherwise."""
    called = _CALLED.fullmatch(goal)
    return called.group(1) if called else ""


def order_of(text: str) -> Order:
    """The order as it is written: `weekly-report week=47 language="plain English"`.

    Raises:
        SettingError: it cannot be read.
    """
    try:
        name, *pairs = shlex.split(text)
    except ValueError as error:
        raise SettingError(f"the recipe {text[:80]!r} cannot be read: {error}.", _WRITE) from None
    values = {}
    for pair in pairs:
        key, is_pair, value = pair.partition("=")
        if not is_pair or not key:
            raise SettingError(f"{pair[:60]!r} is no value of a recipe.", _WRITE)
        values[key] = value
    return Order(name, values)


_WRITE = "Write NAME KEY=VALUE ..., with quotes around values of several words."


def read_recipe(name: str, folder: Path) -> Recipe:
    """A recipe by its name in the folder, or by the path of its file, with its ending. Blocking.

    Raises:
        SettingError: there is none, or its file cannot be read.
    """
    named = Path(name).expanduser()
    file = named if named.suffix == ENDING else folder / f"{name}{ENDING}"
    try:
        with file.open("rb") as opened:
            text = opened.read(_MOST_BYTES + 1)
    except OSError:
        known = sorted(path.stem for path in folder.glob(f"*{ENDING}"))
        there = f"There are: {', '.join(known)}." if known else f"There is none in {folder}."
        raise SettingError(f"there is no recipe {name[:80]!r}.", there) from None
    if len(text) > _MOST_BYTES:
        raise SettingError(f"{file} is longer than {_MOST_BYTES:,} bytes.")
    try:
        return Recipe.model_validate(tomllib.loads(text.decode("utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingError(f"{file} is not TOML: {error}.", "Mend that line.") from None
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise SettingError(f"{file}: {where}: {first['msg']}.", "Mend that line.") from None


def filled(recipe: Recipe, order: Order) -> tuple[list[Task], list[Check]]:
    """The tasks of the recipe and the checks of all of it, with the values in their places.

    Raises:
        SettingError: a value is missing or is not one of the recipe's, or a task is to come after
            one that does not stand before it.
    """
    parts = recipe.model_dump(include={"tasks", "checks"})
    places = set(_PLACE.findall(" ".join(_texts(parts))))
    defaults = {key: str(value) for key, value in recipe.values.items()}
    if unknown := sorted(order.values.keys() - places - defaults.keys()):
        takes = ", ".join(sorted(places | defaults.keys())) or "none"
        raise SettingError(
            f"the recipe {order.recipe} takes no value {unknown[0][:60]!r}.", f"It takes: {takes}."
        )
    values = {**defaults, **order.values}
    if missing := sorted(places - values.keys()):
        raise SettingError(
            f"the recipe {order.recipe} needs a value for {missing[0]!r}.",
            f"Give it: {order.recipe} {' '.join(f'{key}=VALUE' for key in missing)}.",
        )
    made = Recipe.model_validate({**_put_in(parts, values)})
    tasks = _tasks(made.tasks, order.recipe)
    written = [path for task in tasks for path in task.writes]
    told = {check.path for check in made.checks if check.kind == "file_exists"}
    exist = checks_of_files([path for path in written if path not in told], [], "")
    return tasks, [*exist, *made.checks]


def _tasks(parts: Sequence[RecipeTask], recipe: str) -> list[Task]:
    ids: dict[str, str] = {}
    tasks = []
    for at, part in enumerate(parts, start=1):
        for name in part.after:
            if name not in ids:
                raise SettingError(
                    f"the recipe {recipe} has task {at} come after {name[:60]!r}, which does not "
                    "stand before it.",
                    f"Before it stand: {', '.join(ids) or 'no named tasks'}.",
                )
        calls = [
            call.model_copy(update={"args": renamed_references(call.args, ids)})
            for call in part.calls
        ]
        tasks.append(
            Task(
                id=f"t{at}",
                title=renamed_references(part.title, ids),
                writes=part.writes,
                depends_on=[ids[name] for name in part.after],
                calls=calls,
            )
        )
        if part.name:
            if not NAME.fullmatch(part.name):
                raise SettingError(
                    f"the recipe {recipe} calls task {at} {part.name[:60]!r}.",
                    "A name is one word of letters, digits and _.",
                )
            ids[part.name] = f"t{at}"
    return tasks


def _texts(value: Any) -> list[str]:
    """Every text in a JSON value."""
    if isinstance(value, str):
        return [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    return [text for part in inner for text in _texts(part)]


def _put_in(value: Any, values: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return _PLACE.sub(lambda place: values[place.group(1)], value)
    if isinstance(value, dict):
        return {key: _put_in(part, values) for key, part in value.items()}
    return [_put_in(part, values) for part in value] if isinstance(value, list) else value
