"""When a run has used up what it was given, and what is left for the next call."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from replan.graphs.strategies import with_strategy
from replan.models.budget import LEAST_TOKENS, Budget
from replan.nodes.contract import Decision
from replan.nodes.review.checks import replans_used_up
from replan.state.agent_state import AgentState, TaskBranch
from replan.state.context import Context
from replan.state.usage import Usage
from replan.storage.folder_scan import Limits
from replan.tools.protocol import MOST_CALLS

# What a branch leaves in the channel `short` when only its share of a limit was too small.
SHARE = "max_parallel"
_SHARE_TOKENS = 50 * LEAST_TOKENS
_SHARE_SECONDS = 1.0


@dataclass(frozen=True)
class OutOf:
    """In place of a role's result: the limit, by its name in the context, that left too little."""

    limit: str


def limit_reached(usage: Usage, context: Context) -> str:
    """Which limit is reached, in words, or ""."""
    tokens, spent = tokens_of(usage), usage.get("cost_usd") or 0.0
    if usage.get("steps", 0) >= context.max_steps:
        return f"the limit of {context.max_steps} steps (--max-steps) is reached"
    if usage.get("seconds", 0.0) >= context.max_seconds:
        return f"the limit of {context.max_seconds} seconds (--max-seconds) is reached"
    if context.max_tokens and tokens >= context.max_tokens:
        return f"the limit of {context.max_tokens} tokens (--max-tokens) is reached"
    if context.max_cost and spent >= context.max_cost:
        return f"the limit of {context.max_cost:g} US dollars (--max-cost) is reached"
    return ""


def limit_of(state: Mapping[str, Any], context: Context) -> str:
    """Which limit the run has reached, or left too little of for another call; in words, or ""."""
    usage: Usage = state.get("usage", {})
    if reached := limit_reached(usage, context):
        return reached
    left = {
        "max_seconds": f"{context.max_seconds} seconds (--max-seconds)",
        "max_tokens": f"{context.max_tokens} tokens (--max-tokens)",
        "max_cost": f"{context.max_cost:g} US dollars (--max-cost)",
    }.get(state.get("short", ""), "")
    return f"the limit of {left} is reached: what is left is too little for a call" if left else ""


def still_short(state: Mapping[str, Any], before: Mapping[str, Any], context: Context) -> str:
    """Why a stopped run cannot go on with a context; "" when it can.

    Args:
        state: as the run was left.
        before: the fields of the context that it ran with, without defaults.
        context: what it is to run with.
    """
    if reached := limit_reached(state.get("usage", {}), context):
        return reached
    name = state.get("short", "")
    if name in ("max_seconds", "max_tokens", "max_cost"):
        then = getattr(with_strategy(Context(**{**before, "approvals": []})), name)
        now = getattr(context, name)
        return limit_of(state, context) if 0 < now <= then else ""
    return ""


def held(
    decision: Decision, reason: str, limit: str, replans: int, context: Context
) -> tuple[Decision, str]:
    """The decision and its reason, within the limits: whoever reviews cannot go past them.

    Args:
        decision: of the role `review`.
        reason: its reason.
        limit: from `limit_of`.
        replans: how often the run has planned anew.
        context: how often it may.
    """
    if decision in ("next", "replan") and limit:
        return "stopped", limit
    if decision == "replan" and replans >= context.max_replans:
        return "failed", f"{reason} ({replans_used_up(context.max_replans)})"
    return decision, reason


def tokens_of(usage: Usage) -> int:
    """Input and output together."""
    return usage.get("input_tokens", 0) + usage.get("output_tokens", 0)


def remaining_seconds(usage: Usage, context: Context) -> float:
    """Seconds that a call may still take, at least one."""
    return max(1.0, context.max_seconds - usage.get("seconds", 0.0))


def budget_of(state: AgentState, context: Context) -> Budget:
    """What is left of the run's limits."""
    usage = state.get("usage", {})
    return Budget(
        tokens=context.max_tokens - tokens_of(usage) if context.max_tokens else None,
        dollars=context.max_cost - (usage.get("cost_usd") or 0.0) if context.max_cost else None,
        seconds=max(0.0, context.max_seconds - usage.get("seconds", 0.0)),
    )


def budget_of_branch(state: TaskBranch) -> Budget:
    """What is left of a branch's share."""
    return Budget(
        tokens=state.get("remaining_tokens"),
        dollars=state.get("remaining_dollars"),
        seconds=state["remaining_seconds"],
    )


def after(state: TaskBranch, usage: Usage) -> TaskBranch:
    """The branch with what is left of its share, after some of it was used."""
    tokens, dollars = state.get("remaining_tokens"), state.get("remaining_dollars")
    spent = usage.get("cost_usd") or 0.0
    left = state.copy()
    left["remaining_seconds"] = max(0.0, state["remaining_seconds"] - usage.get("seconds", 0.0))
    left["remaining_tokens"] = None if tokens is None else tokens - tokens_of(usage)
    left["remaining_dollars"] = None if dollars is None else dollars - spent
    return left


def calls_left(state: TaskBranch) -> int:
    """How many calls of tools code may make beside its own: each is a step."""
    return max(0, min(MOST_CALLS, state.get("remaining_steps", MOST_CALLS) - 1))


def short_of(state: TaskBranch, out_of: OutOf) -> str:
    """What the channel `short` says of a branch that cannot go on."""
    return SHARE if state.get("shared") else out_of.limit


def side_by_side(state: AgentState, context: Context) -> int:
    """How many branches may be sent out, so that each has a share that it can work with."""
    if state.get("short") == SHARE:
        return 1
    left = budget_of(state, context)
    most = min(
        context.max_parallel * context.best_of,
        context.max_steps - state.get("usage", {}).get("steps", 0),
        int((left.seconds or 0.0) / _SHARE_SECONDS),
    )
    if left.tokens is not None:
        most = min(most, int(left.tokens / _SHARE_TOKENS))
    return max(1, most)


def share_of(state: AgentState, context: Context, count: int) -> dict[str, Any]:
    """What each of so many branches carries along of what is left."""
    left = budget_of(state, context)
    return {
        "remaining_seconds": remaining_seconds(state.get("usage", {}), context) / count,
        "remaining_tokens": None if left.tokens is None else int(left.tokens // count),
        "remaining_dollars": None if left.dollars is None else left.dollars / count,
        "remaining_steps": (context.max_steps - state.get("usage", {}).get("steps", 0)) // count,
        "shared": count > 1,
    }


def revision_limits(context: Context) -> Limits:
    """What the run's settings let a revision hold."""
    return Limits(
        file_bytes=context.revision_file_mb * 1_000_000,
        total_bytes=context.revision_mb * 1_000_000,
        ignore=tuple(context.revision_ignore),
    )
