"""What is left for calls of a model, and how long an answer may be within it."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from replan.state.errors import LimitReachedError
from replan.state.usage import Usage

# An answer shorter than this is of no use: a limit that leaves less room is reached.
LEAST_TOKENS = 32
LEAST_SECONDS = 0.05

# More pieces than any tokenizer makes of ordinary text: some keep digits and signs apart.
_PIECES = re.compile(r"[A-Za-z]{1,4}|[^\sA-Za-z]|\n+|[^\S\n]{2,}")
_TOKENS_A_MESSAGE = 8


@dataclass(frozen=True)
class Budget:
    """What one role may use up. None is without limit.

    Args:
        tokens: input and output together.
        dollars: US dollars.
        seconds: from the making of the budget on.
    """

    tokens: float | None = None
    dollars: float | None = None
    seconds: float | None = None
    _made: float = field(default_factory=time.monotonic, compare=False, repr=False)

    def seconds_left(self) -> float | None:
        """Seconds from now on.

        Raises:
            LimitReachedError: there are none.
        """
        if self.seconds is None:
            return None
        left = self.seconds - (time.monotonic() - self._made)
        if left < LEAST_SECONDS:
            raise LimitReachedError("max_seconds")
        return left

    def room(
        self,
        prompt: Callable[[], int],
        wanted: int,
        prices: tuple[float, float] | None,
        used: Usage,
    ) -> tuple[int, str]:
        """How many tokens the answer to a prompt may have, and the limit that makes them fewer.

        Args:
            prompt: tells the tokens of the prompt, rather too many than too few.
            wanted: tokens that the answer may have anyway.
            prices: US dollars for a token of input and of output; None when nobody knows.
            used: of this budget, so far.

        Returns:
            The tokens, and the context's name for the limit, "" where all that is wanted is left.

        Raises:
            LimitReachedError: what is left is too little for the prompt and a short answer.
        """
        if self.tokens is None and self.dollars is None:
            return wanted, ""
        asked, room, limit = prompt(), float(wanted), ""
        if self.tokens is not None:
            spent = used.get("input_tokens", 0) + used.get("output_tokens", 0)
            if (left := self.tokens - spent - asked) < room:
                room, limit = left, "max_tokens"
        if self.dollars is not None and prices is not None and prices[1] > 0:
            dollars = self.dollars - (used.get("cost_usd") or 0.0)
            if (left := (dollars - asked * prices[0]) / prices[1]) < room:
                room, limit = left, "max_cost"
        if limit and room < min(wanted, LEAST_TOKENS):
            raise LimitReachedError(limit)
        return int(room), limit


UNLIMITED = Budget()
NOTHING_LEFT = Budget(tokens=0, dollars=0.0)


def prompt_tokens(request: Any) -> int:
    """An upper estimate of the tokens of a request: its messages, tools and schema.

    Args:
        request: text, or JSON of texts.
    """
    if isinstance(request, str):
        return sum(1 for _ in _PIECES.finditer(request))
    if isinstance(request, dict):
        return sum(prompt_tokens(key) + prompt_tokens(value) for key, value in request.items())
    if isinstance(request, list | tuple):
        return _TOKENS_A_MESSAGE * len(request) + sum(map(prompt_tokens, request))
    return 1
