"""How long somebody has waited for others: what is left of a time is one's own."""

import time
from types import TracebackType


class Waiting:
    """Measures the time within its `with` blocks; blocks side by side and nested ones count once.

    with waiting:
        answer = await server.ask()
    """

    def __init__(self) -> None:
        self._before = 0.0
        self._since = 0.0
        self._blocks = 0

    @property
    def seconds(self) -> float:
        """So far, the block that runs included."""
        running = time.monotonic() - self._since if self._blocks else 0.0
        return self._before + running

    def __enter__(self) -> None:
        if not self._blocks:
            self._since = time.monotonic()
        self._blocks += 1

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._blocks -= 1
        if not self._blocks:
            self._before += time.monotonic() - self._since
