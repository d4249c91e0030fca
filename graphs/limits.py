"""When a run has used up what it was given."""

from replan.state.context import Context
from replan.state.usage import Usage
from replan.storage.folder_scan import Limits


def limit_reached(usage: Usage, context: Context) -> str:
    """Which limit is reached, in words, or ""."""
    tokens = usage.get("input_tokens", 0) + usage.get("output_tokens", 0)
    spent = usage.get("cost_usd") or 0.0
    if usage.get("steps", 0) >= context.max_steps:
        return f"the limit of {context.max_steps} steps (--max-steps) is reached"
    if usage.get("seconds", 0.0) >= context.max_seconds:
        return f"the limit of {context.max_seconds} seconds (--max-seconds) is reached"
    if context.max_tokens and tokens >= context.max_tokens:
        return f"the limit of {context.max_tokens} tokens (--max-tokens) is reached"
    if context.max_cost and spent >= context.max_cost:
        return f"the limit of {context.max_cost:g} US dollars (--max-cost) is reached"
    return ""


def remaining_seconds(usage: Usage, context: Context) -> float:
    """Seconds that a call may still take, at least one."""
    return max(1.0, context.max_seconds - usage.get("seconds", 0.0))


def revision_limits(context: Context) -> Limits:
    """What the run's settings let a revision hold."""
    return Limits(
        file_bytes=context.revision_file_mb * 1_000_000,
        total_bytes=context.revision_mb * 1_000_000,
        ignore=tuple(context.revision_ignore),
    )
