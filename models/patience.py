"""How long a model server that fails is waited for.

The client itself asks again after 408, 409, 429, 5xx, time-outs and connections that cannot be
made or break: with a growing pause and jitter, or after the server's own Retry-After. Here is what
it cannot know: the time that the run has left; and answers that came, but not whole.
"""

import asyncio
import email.utils
import json
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

from langchain_core.messages import AIMessage

if TYPE_CHECKING:
    import httpx2

# Pauses of 0.5, 1, 2 and 4 seconds.
MOST_RETRIES = 4
_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 8.0

_left: ContextVar[float | None] = ContextVar("seconds left for a call", default=None)


class CutAnswerError(Exception):
    """An answer ended before its end."""


@contextmanager
def patience(seconds: float | None) -> Iterator[None]:
    """Within it, a call does not wait for a server that asks to wait longer.

    Args:
        seconds: what is left; None for no limit.
    """
    token = _left.set(None if seconds is None else time.monotonic() + seconds)
    try:
        yield
    finally:
        _left.reset(token)


async def give_up_in_time(response: "httpx2.Response") -> None:
    """A hook of the HTTP client: marks an answer that asks to wait longer than there is time."""
    until, wait = _left.get(), retry_after(response.headers)
    if until is not None and wait is not None and time.monotonic() + wait >= until:
        response.headers["x-should-retry"] = "false"  # the client's own sign


def retry_after(headers: "httpx2.Headers") -> float | None:
    """The seconds that a server asks to wait; None when it does not, or not understandably."""
    said = headers.get("retry-after", "")
    try:
        if milliseconds := headers.get("retry-after-ms"):
            return float(milliseconds) / 1000
        return float(said)
    except ValueError:
        pass
    try:
        return max(0.0, email.utils.parsedate_to_datetime(said).timestamp() - time.time())
    except (TypeError, ValueError, OverflowError):
        return None


def whole(answer: AIMessage) -> AIMessage:
    """The answer.

    Raises:
        CutAnswerError: it came as a stream that ended without saying why.
    """
    # An answer in one piece names its end, if only as null.
    if "finish_reason" not in answer.response_metadata:
        raise CutAnswerError
    return answer


def broke_off(error: Exception, most: int) -> bool:
    """Whether an answer broke off, and the client has not asked again as often as it may.

    It does so by itself until an answer has begun to come as a stream.

    Args:
        error: what the client raised.
        most: how often it asks again.
    """
    import openai

    if isinstance(error, CutAnswerError | json.JSONDecodeError):
        return True
    if not isinstance(error, openai.APIConnectionError) or isinstance(
        error, openai.APITimeoutError
    ):
        return False
    return int(error.request.headers.get("x-stainless-retry-count", 0)) < most


async def pause(attempt: int) -> None:
    """Wait before the next attempt; `attempt` counts from 0."""
    longest = min(_FIRST_PAUSE * 2**attempt, _LONGEST_PAUSE)
    await asyncio.sleep(longest * random.uniform(0.75, 1.0))
