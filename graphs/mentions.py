"""Which memories a run recalled and learned, as its state names them."""

from typing import Any

from replan.graphs.limits import OutOf
from replan.nodes.contract import RecallResult, RememberResult
from replan.state.memory import Mention


def mentions(result: RecallResult | RememberResult | OutOf) -> list[dict[str, Any]]:
    """What a role recalled or kept; nothing where it was out of budget."""
    if isinstance(result, OutOf):
        return []
    named: list[Mention] = result.mentions if isinstance(result, RecallResult) else result.learned
    return [mention.model_dump() for mention in named]
