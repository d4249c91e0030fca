"""What a search brings, and what every provider of searches looks like."""

from dataclasses import dataclass
from typing import Any, Protocol

from replan.tools.protocol import ToolError


@dataclass(frozen=True)
class SearchResult:
    """One thing found. `date` is as the service gave it, such as "2026-03-01"; "" if unknown."""

    title: str
    address: str
    excerpt: str
    date: str = ""


class SearchProvider(Protocol):
    """A service that can be asked."""

    def missing(self) -> str:
        """What it lacks to be asked, such as a key; "" when nothing."""
        ...

    async def search(self, query: str, most: int, seconds: float) -> list[SearchResult]:
        """What the service finds, best first.

        Args:
            query: in words, at most 400 characters.
            most: how many results are wanted.
            seconds: how long it may take.

        Raises:
            ToolError: the service refuses, fails, cannot be reached, or answers nonsense.
        """
        ...


def result(title: Any, address: Any, excerpt: Any, date: Any = "") -> SearchResult:
    """A result from whatever a service sent: text on one line, nothing missing."""
    return SearchResult(_line(title) or "(no title)", _line(address), _line(excerpt), _line(date))


def too_slow(seconds: float) -> ToolError:
    """The service did not answer in time."""
    return ToolError(f"the search service did not answer within {seconds:g} s.")


def refused_status(status: int, key_setting: str) -> ToolError:
    """What an HTTP status other than success means."""
    if status in (401, 403):
        return ToolError("the search service refuses the key.", f"Check {key_setting}.")
    if status == 429:
        return ToolError("the search service's usage limit is reached.", "Work without searching.")
    return ToolError(f"the search service failed: HTTP {status}.")


def without_results() -> ToolError:
    """The answer has another form than agreed."""
    return ToolError("the search service sent an answer without results.")


def _line(value: Any) -> str:
    return "" if value is None else " ".join(str(value).split())
