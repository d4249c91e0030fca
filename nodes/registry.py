"""Who can play which role, by name."""

import inspect
from functools import cache
from importlib.metadata import entry_points
from pkgutil import resolve_name
from typing import Any

from replan.nodes.contract import CONTRACTS
from replan.state.errors import SettingError

BUILT_IN: dict[str, dict[str, str]] = {
    "recall": {
        "store": "replan.nodes.recall.store:RecallFromStore",
        "none": "replan.nodes.recall.none:RecallNothing",
    },
    "decompose": {
        "llm": "replan.nodes.decompose.llm:DecomposeByModel",
        "none": "replan.nodes.decompose.none:DecomposeNot",
        "template": "replan.nodes.decompose.template:DecomposeByRecipe",
    },
    "plan": {
        "sequence": "replan.nodes.plan.sequence:PlanSequence",
        "dag": "replan.nodes.plan.dag:PlanDag",
        "rewoo": "replan.nodes.plan.rewoo:PlanRewoo",
        "compiler": "replan.nodes.plan.compiler:PlanCompiler",
    },
    "select_tool": {
        "json": "replan.nodes.select_tool.json_choice:SelectByJson",
        "native": "replan.nodes.select_tool.native:SelectNatively",
        "code": "replan.nodes.select_tool.code:SelectByCode",
    },
    "execute": {
        "direct": "replan.nodes.execute.direct:ExecuteDirectly",
        "dry_run": "replan.nodes.execute.dry_run:RehearseCall",
    },
    "reflect": {
        "checks_then_llm": "replan.nodes.reflect.checks_then_llm:ReflectByChecksThenModel",
        "checks": "replan.nodes.reflect.checks:ReflectByChecks",
        "llm": "replan.nodes.reflect.llm:ReflectByModel",
    },
    "review": {
        "checks": "replan.nodes.review.checks:ReviewByChecks",
        "llm": "replan.nodes.review.llm:ReviewByModel",
    },
    "report": {
        "llm": "replan.nodes.report.llm:ReportByModel",
        "template": "replan.nodes.report.template:ReportByTemplate",
    },
    "remember": {
        "store": "replan.nodes.remember.store:RememberInStore",
        "none": "replan.nodes.remember.none:RememberNothing",
    },
}


def names(role: str) -> list[str]:
    """The names that a role can be given: built in, and from entry points `replan.<role>`.

    Raises:
        SettingError: there is no such role.
    """
    if role not in CONTRACTS:
        raise SettingError(f"there is no role {role!r}.", f"Roles: {', '.join(CONTRACTS)}.")
    plugged = [point.name for point in entry_points(group=f"replan.{role}")]
    return sorted({*BUILT_IN[role], *plugged})


@cache
def implementation(role: str, name: str) -> Any:
    """The implementation of a role.

    Args:
        role: one of `CONTRACTS`.
        name: a built-in name, an entry point's, or `module:attribute`.

    Raises:
        SettingError: no such role or implementation; the message lists what there is.
    """
    target = BUILT_IN.get(role, {}).get(name) if name in names(role) else None
    try:
        if target:
            found = resolve_name(target)
        elif name in names(role):
            found = next(iter(entry_points(group=f"replan.{role}", name=name))).load()
        elif ":" in name:
            found = resolve_name(name)
        else:
            raise LookupError
    except Exception as error:
        why = f" ({error})" if str(error) else ""
        raise SettingError(
            f"the role {role} has no implementation {name!r}{why}.",
            f"There are: {', '.join(names(role))}, or module:attribute of your own.",
        ) from error
    return found() if inspect.isclass(found) else found


def taken(role: str, player: Any) -> Any:
    """An implementation as it may be given: an object or function as it is, a class made without
    arguments, a name as in `implementation`.

    Raises:
        SettingError: it cannot be made, or cannot be called.
    """
    if isinstance(player, str):
        return implementation(role, player)
    try:
        made = player() if inspect.isclass(player) else player
    except Exception as error:
        raise SettingError(
            f"the implementation {player.__name__} of {role} cannot be made without arguments: "
            f"{error}.",
            f"Give an object: {player.__name__}(...).",
        ) from error
    if not callable(made):
        raise SettingError(
            f"the implementation of {role} cannot be called: it is of type {type(made).__name__}.",
            "Give an object with async def __call__(self, request, use).",
        )
    return made
