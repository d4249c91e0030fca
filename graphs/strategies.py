"""Strategies: ways of working by name, each a set of implementations and limits, no new graph."""

import tomllib
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from pydantic import ValidationError

from replan.state.context import ROLES, Context
from replan.state.errors import SettingError
from replan.state.noun import Noun
from replan.state.settings import settings

# The limits that belong to a way of working; those of the sandbox and of revisions do not.
LIMITS = (
    "best_of",
    "max_attempts",
    "max_cost",
    "max_parallel",
    "max_replans",
    "max_seconds",
    "max_steps",
    "max_tasks",
    "max_tokens",
    "recall_tokens",
)
# Read while the module is: a node must not read a file in the event loop.
_BUILT_IN: Mapping[str, Any] = tomllib.loads(
    files("replan.graphs").joinpath("strategies.toml").read_text(encoding="utf-8")
)


class Strategy(Noun):
    """A way of working. `fields` are those of the context that it sets; `own` that it comes from
    the user's settings.
    """

    name: str
    about: str = ""
    fields: dict[str, Any]
    own: bool = False


def strategies() -> dict[str, Strategy]:
    """All of them by name: the built-in ones in the order of their file, then the user's, which
    may take the place of a built-in one.

    Raises:
        SettingError: one of the user's sets what no strategy can, or an impossible value.
    """
    own = settings().replan_strategies
    known = {name: _read(name, table, False) for name, table in _BUILT_IN.items()}
    return known | {name: _read(name, table, True) for name, table in own.items()}


def with_strategy(context: Context) -> Context:
    """The context with what its strategy sets; the fields that were set by name stay as they are.

    Raises:
        SettingError: there is no such strategy.
    """
    if not context.strategy:
        return context
    known = strategies()
    if context.strategy not in known:
        raise SettingError(
            f"there is no strategy {context.strategy[:60]!r}.",
            f"There are: {', '.join(known)}. Your own go into the settings file, as "
            "[strategies.NAME].",
        )
    return Context(**{**known[context.strategy].fields, **_set_by_name(context)})


def _set_by_name(context: Context) -> dict[str, Any]:
    if len(context.model_fields_set) < len(Context.model_fields):
        return context.model_dump(exclude_unset=True)
    # A form sends every field: what stands at its default there was left alone.
    return context.model_dump(exclude_defaults=True)


def _read(name: str, table: Any, own: bool) -> Strategy:
    where = f"strategies.{name[:60]}"
    if not isinstance(table, dict):
        raise SettingError(f"setting {where}: it is no section.", f"Write [{where}].")
    fields = {key: value for key, value in table.items() if key != "about"}
    if unknown := sorted(fields.keys() - {*ROLES, *LIMITS}):
        raise SettingError(
            f"setting {where}: a strategy cannot set {unknown[0][:60]!r}.",
            f"Roles: {', '.join(ROLES)}. Limits: {', '.join(LIMITS)}.",
        )
    try:
        Context(**fields)
        return Strategy(name=name, about=table.get("about", ""), fields=fields, own=own)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        said = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
        raise SettingError(f"setting {where}: {said}.", "Mend it in the settings file.") from None
