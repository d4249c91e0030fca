"""The trials of the kit: each tries one thing of an implementation, and names what is wrong."""

import asyncio
import inspect
import json
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from replan.models.budget import NOTHING_LEFT
from replan.nodes.answering import BrokenContractError, answer_of, fault_of
from replan.nodes.contract import CONTRACTS, ExecuteRequest, Use
from replan.nodes.testing.blocking import is_blocking, watched_loop
from replan.nodes.testing.meaning import meaning_fault
from replan.nodes.testing.requests import requests_of
from replan.nodes.testing.stage import stage
from replan.state.errors import LimitReachedError, ReplanError
from replan.state.noun import Noun
from replan.state.task import Action

# Of its own time, which the model's and the tools' do not count to.
ANSWER_SECONDS = 20.0
_BEFORE_CANCELLING = 0.3
_AFTER_CANCELLING = 5.0
_SLEEPING = ExecuteRequest(
    action=Action(tool="python", args={"code": "import time\ntime.sleep(60)"}), seconds=60.0
)


async def takes_request_and_use(role: str, player: Any) -> list[str]:
    """It can be called with two arguments, and gives something to await."""
    if not callable(player):
        return [f"cannot be called: it is a {type(player).__name__}"]
    try:
        inspect.signature(player).bind(None, None)
    except TypeError as error:
        return [f"cannot be called with (request, use): {error}"]
    except ValueError:  # no signature can be had
        pass
    return []


async def answers_everything(role: str, player: Any) -> list[str]:
    """Each request, an empty one and odd texts too, gets a result that can be kept, and stays as
    it is.
    """
    found = []
    async with stage() as use:
        for request in requests_of(role):
            found.append(await _answer_fault(role, player, request, use))
    return found


async def does_without_memory(role: str, player: Any) -> list[str]:
    """There may be no store."""
    async with stage(memory=False) as use:
        request = requests_of(role)[0]
        return [await _answer_fault(role, player, request, use, when="there is no store")]


async def respects_a_spent_budget(role: str, player: Any) -> list[str]:
    """With nothing left it answers without the model, or lets LimitReachedError through."""
    found = []
    async with stage(budget=NOTHING_LEFT) as use:
        for request in requests_of(role):
            when = "the budget is used up"
            found.append(
                await _answer_fault(role, player, request, use, LimitReachedError, when=when)
            )
    return found


async def survives_a_useless_model(role: str, player: Any) -> list[str]:
    """A model without a usable answer is an error of this project's, or none."""
    found = []
    async with stage("useless") as use:
        for request in requests_of(role):
            when = "the model gives nothing usable"
            found.append(await _answer_fault(role, player, request, use, ReplanError, when=when))
    return found


async def can_be_cancelled(role: str, player: Any) -> list[str]:
    """Cancelled in the middle, it ends soon, with the cancellation."""
    async with stage("never") as use:
        request = _SLEEPING if role == "execute" else requests_of(role)[0]
        work = asyncio.ensure_future(_awaited(player, request, use))
        await asyncio.wait({work}, timeout=_BEFORE_CANCELLING)
        if work.done():
            work.cancelled() or work.exception()
            return []
        work.cancel()
        await asyncio.wait({work}, timeout=_AFTER_CANCELLING)
        if not work.done():
            return [f"goes on for {_AFTER_CANCELLING:g} s after it was cancelled"]
    if work.cancelled():
        return []
    error = work.exception()
    how = f"turned it into {type(error).__name__}" if error else "answered all the same"
    return [f"swallows its cancellation: {how}"]


async def does_not_block(role: str, player: Any) -> list[str]:
    """It does no sync I/O and no long work in the event loop, where other runs wait."""
    async with stage() as use:
        request = requests_of(role)[0]
        # What is done once, such as imports, is done before.
        await _answer_fault(role, player, request.model_copy(deep=True), use)
        with watched_loop() as blocked:
            fault = ""
            try:
                await answer_of(player, request, use, ANSWER_SECONDS)
            except Exception as error:
                fault = str(error) if is_blocking(error) else ""
    where = fault or blocked.where
    return [f"blocks the event loop: {where}"] if where else []


async def answers_side_by_side(role: str, player: Any) -> list[str]:
    """One object plays the role in all runs of a process, and in all branches at once."""
    async with stage() as use:
        first = [*requests_of(role)[:2], *requests_of(role)[:2]]
        when = "it is asked several things at once"
        asked = [_answer_fault(role, player, request, use, when=when) for request in first]
        return list(await asyncio.gather(*asked))


Trial = Callable[[str, Any], Awaitable[list[str]]]
TRIALS: dict[str, Trial] = {
    trial.__name__: trial
    for trial in (
        takes_request_and_use,
        answers_everything,
        does_without_memory,
        respects_a_spent_budget,
        survives_a_useless_model,
        can_be_cancelled,
        does_not_block,
        answers_side_by_side,
    )
}


async def _answer_fault(
    role: str,
    player: Any,
    request: Noun,
    use: Use,
    allowed: type[Exception] | tuple[type[Exception], ...] = (),
    when: str = "",
) -> str:
    """What is wrong with what the implementation answers, "" when nothing is.

    Args:
        role: its role.
        player: the implementation.
        request: what it is asked.
        use: what it may use.
        allowed: errors that it may raise.
        when: the circumstances, for the line.
    """
    before = request.model_copy(deep=True)
    asked = f"{f' when {when}' if when else ''}, asked {_shown(request)}"
    try:
        result = await answer_of(player, request, use, ANSWER_SECONDS)
    except allowed:
        return ""
    except BrokenContractError as error:
        return f"{error}{asked}"
    except Exception as error:
        return f"failed with {type(error).__name__}: {error}{asked}"
    fault = fault_of(result, CONTRACTS[role].result) or _kept_fault(result)
    if not fault and request != before:
        fault = f"changed its request in {', '.join(_changed(before, request))}"
    fault = fault or await meaning_fault(role, request, result, use)
    return f"{fault}{asked}" if fault else ""


def _kept_fault(result: Noun) -> str:
    """Why a checkpoint would not give back what the result holds."""
    name = type(result).__name__
    text = _json(result)
    if text is None:
        return f"answered with a {name} that UTF-8 cannot hold"
    if any("\0" in one for one in _texts(json.loads(text))):
        return f"answered with a {name} with a NUL character, which Postgres refuses"
    if type(result).model_validate_json(text) != result:
        return f"answered with a {name} that its JSON does not hold whole"
    return ""


def _texts(value: Any) -> Iterator[str]:
    """All texts of a JSON value, names too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, one in value.items():
            yield name
            yield from _texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)


def _json(result: Noun) -> str | None:
    try:
        return result.model_dump_json()
    except ValueError:  # half a character
        return None


def _changed(before: Noun, after: Noun) -> list[str]:
    return [name for name in type(before).model_fields if _of(before, name) != _of(after, name)]


def _of(noun: Noun, name: str) -> Any:
    return getattr(noun, name)


def _shown(request: Noun) -> str:
    """The request in a few words: its fields that are set."""
    text = ", ".join(f"{name}={_of(request, name)!r}" for name in sorted(request.model_fields_set))
    return f"{type(request).__name__}({text})"[:160]


async def _awaited(player: Any, request: Noun, use: Use) -> Any:
    given = player(request, use)
    return await given if inspect.isawaitable(given) else given
