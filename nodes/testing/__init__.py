"""The conformance kit: tells whether an implementation of a role keeps its contract.

With pytest, in two lines:

    from replan.nodes.testing import contract_tests
    test_my_planner = contract_tests("plan", MyPlanner)

By a plain call, which raises with a line for each violation:

    check_contract("plan", MyPlanner)

It needs no model, no key and no database: the model is a server on loopback that answers what
fits, or nothing usable, or never.
"""

import asyncio
import inspect
from collections.abc import Callable, Iterable
from typing import Any

from replan.nodes.answering import named
from replan.nodes.contract import CONTRACTS
from replan.nodes.registry import implementation
from replan.nodes.testing.requests import requests_of
from replan.nodes.testing.trials import TRIALS
from replan.state.errors import ContractError, SettingError

__all__ = ["TRIALS", "check_contract", "contract_tests", "requests_of", "violations"]

_LINE_CHARS = 500


async def violations(role: str, player: Any, trials: Iterable[str] = ()) -> list[str]:
    """A line for each way in which an implementation breaks the contract; none when it keeps it.

    Args:
        role: one of `CONTRACTS`.
        player: an object, a function, a class that is made without arguments, or a name, as the
            context takes it.
        trials: names out of `TRIALS`; all of them when none is given.

    Raises:
        SettingError: there is no such role, trial or implementation.
    """
    if role not in CONTRACTS:
        raise SettingError(f"there is no role {role!r}.", f"Roles: {', '.join(CONTRACTS)}.")
    wanted = list(trials) or list(TRIALS)
    if unknown := [name for name in wanted if name not in TRIALS]:
        raise SettingError(f"there is no trial {unknown[0]!r}.", f"Trials: {', '.join(TRIALS)}.")
    made, name = _made(role, player)
    found: list[str] = []
    # What cannot be called as it has to be would fail in all of them.
    for trial in dict.fromkeys(("takes_request_and_use", *wanted)):
        faults = [fault for fault in await TRIALS[trial](role, made) if fault]
        found += [f"{name} breaks the contract of {role}: it {_line(fault)}" for fault in faults]
        if faults and trial == "takes_request_and_use":
            break
    return list(dict.fromkeys(found))


def check_contract(role: str, player: Any, trials: Iterable[str] = ()) -> None:
    """As `violations`, for a plain call outside of an event loop.

    Raises:
        ContractError: it breaks the contract; the message has a line for each way.
        SettingError: there is no such role, trial or implementation.
    """
    found = asyncio.run(violations(role, player, trials))
    if found:
        raise ContractError("\n".join(found))


def contract_tests(role: str, player: Any) -> Callable[[str], None]:
    """A test for pytest, with a case for each trial; no plugin is needed.

    Args:
        role: one of `CONTRACTS`.
        player: as in `violations`.
    """
    import pytest

    @pytest.mark.parametrize("trial", TRIALS)
    def test_contract(trial: str) -> None:
        check_contract(role, player, [trial])

    return test_contract


def _made(role: str, player: Any) -> tuple[Any, str]:
    if isinstance(player, str):
        return implementation(role, player), player
    return (player() if inspect.isclass(player) else player), named(player)


def _line(fault: str) -> str:
    return " ".join(fault.split())[:_LINE_CHARS]
