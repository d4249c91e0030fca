"""What a run has used: model calls, tokens, dollars, seconds, steps."""

from typing_extensions import TypedDict


class Usage(TypedDict, total=False):
    """Counts of a run. Absent keys count as zero.

    `cost_usd` is absent or None while no price is known for the model. `seconds` is the busy
    time of the nodes; `model_seconds` and `tool_seconds` are the parts of it spent waiting for
    the model and for tools.
    """

    model_calls: int
    input_tokens: int
    output_tokens: int
    cost_usd: float | None
    seconds: float
    model_seconds: float
    tool_seconds: float
    steps: int


def add_usage(total: Usage | None, more: Usage | None) -> Usage:
    """Reducer: the sum of two usages; an unknown cost stays unknown unless one side has it."""
    left, right = dict(total or {}), dict(more or {})
    merged: dict[str, float | int | None] = {}
    for key in left.keys() | right.keys():
        values = [side[key] for side in (left, right) if side.get(key) is not None]
        merged[key] = sum(values) if values else None  # type: ignore[arg-type]
    return merged  # type: ignore[return-value]
