"""How far something is that takes long, in lines on standard error."""

import sys
import time

from replan.cli.printable import visible

_QUIET_SECONDS = 1.0


class Progress:
    """Says each tenth once, and nothing of what is over within a second."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._last = ""

    def __call__(self, what: str, part: float) -> None:
        """`part` is 0 to 1 of what is done, in a few words."""
        elapsed = time.monotonic() - self._started
        line = f"{visible(what)} {int(part * 10) * 10} %"
        if elapsed >= _QUIET_SECONDS and line != self._last:
            self._last = line
            print(f"[{elapsed:6.1f}s] {line}", file=sys.stderr, flush=True)
