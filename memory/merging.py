"""What becomes of a memory that is learned again, or whose place another one takes."""

from datetime import UTC, datetime

from replan.state.memory import Memory


def met_again(known: Memory, again: Memory) -> Memory:
    """A memory that was learned once more; one that had ended is true again.

    Where it came out otherwise this time, that is how it is now.
    """
    update: dict[str, object] = {
        "times": known.times + again.times,
        "importance": max(known.importance, again.importance),
        "ended": None,
        "superseded_by": "",
    }
    if known.outcome != again.outcome or not known.detail:
        update |= {"outcome": again.outcome, "detail": again.detail or known.detail}
    return known.model_copy(update=update)


def superseding(old: Memory, new_id: str) -> Memory:
    """A memory that is true no more, since the new one is."""
    return old.model_copy(update={"ended": datetime.now(UTC), "superseded_by": new_id})
