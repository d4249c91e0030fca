"""Has an implementation of a role answer, and holds it to its contract: in time, and of its type.

What goes wrong is told as the end of a line that begins with who it was.
"""

import asyncio
import inspect
import time
from typing import Any

from pydantic import ValidationError
from pydantic_core import PydanticSerializationError

from replan.nodes.contract import Use
from replan.state.noun import Noun

# To put away what it holds, such as a process, once it is cancelled.
_GRACE_SECONDS = 10.0
_SHORTEST_LOOK = 0.05


class BrokenContractError(Exception):
    """The implementation broke its contract; the message says how."""


async def answer_of(player: Any, request: Noun, use: Use, seconds: float | None) -> Any:
    """What the implementation answers.

    Args:
        player: the implementation.
        request: what it is asked.
        use: what it may use; while it waits for the model or a tool, its time stands still.
        seconds: its own time; None for no limit.

    Raises:
        BrokenContractError: it is not async, does not answer in its time, or cancelled itself.
    """
    given = player(request, use)
    if not inspect.isawaitable(given):
        raise BrokenContractError(f"is not async: it gave {type(given).__name__} at once")
    work = asyncio.ensure_future(given)
    before, began = _waited(use), time.monotonic()
    try:
        while not work.done():
            left = None
            if seconds is not None:
                left = seconds - (time.monotonic() - began) + (_waited(use) - before)
                if left <= 0:
                    raise BrokenContractError(
                        f"did not answer within {seconds:g} s, time for the model and tools not "
                        "counted (--set max_role_seconds)"
                    )
                left = max(left, _SHORTEST_LOOK)
            await asyncio.wait({work}, timeout=left)
    finally:
        await _end(work)
    if work.cancelled():
        raise BrokenContractError("was cancelled by itself")
    return work.result()


def fault_of(result: Any, wanted: type[Noun]) -> str:
    """What is wrong with an answer that has to be of the type `wanted`; "" when nothing is.

    A field that was set later is held against the type as well: it was not, when it was set.
    """
    if not isinstance(result, wanted):
        return f"answered with {type(result).__name__}, not {wanted.__name__}"
    try:
        wanted.model_validate(result.model_dump(mode="json", warnings=False))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        return f"answered with a {wanted.__name__} that is none: {where}: {first['msg']}"
    except (PydanticSerializationError, RecursionError) as error:
        return f"answered with a {wanted.__name__} that cannot be kept: {error}"
    return ""


def named(player: Any) -> str:
    """How an implementation that was given as an object is called in messages."""
    of = player if hasattr(player, "__qualname__") else type(player)
    return f"{of.__module__}:{of.__qualname__}"


def _waited(use: Use) -> float:
    return use.model.waiting.seconds + use.tools.waiting.seconds


async def _end(work: "asyncio.Future[Any]") -> None:
    """Cancel what goes on. One that does not end either is left to itself."""
    if work.done():
        return
    work.cancel()
    await asyncio.wait({work}, timeout=_GRACE_SECONDS)
    # An error that comes after nobody waits for it is nobody's.
    work.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
