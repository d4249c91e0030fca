"""What counts as a goal."""

from replan.state.errors import GoalError
from replan.state.readable import is_readable

MOST_GOAL_CHARS = 20_000


def check_goal(goal: object) -> str:
    """The goal, trimmed.

    Raises:
        GoalError: it is empty, no text, or longer than 20,000 characters; or it holds what no
            database keeps, a NUL or half a character.
    """
    if not isinstance(goal, str) or not goal.strip():
        raise GoalError("the goal is empty.", "Say in words what is to be reached.")
    if len(goal) > MOST_GOAL_CHARS:
        raise GoalError(
            f"the goal has {len(goal):,} characters; {MOST_GOAL_CHARS:,} are the most.",
            "Put long material into a file of the workspace and name the file in the goal.",
        )
    if not is_readable(goal):
        raise GoalError("the goal is not readable text.", "Write it in UTF-8, without NUL bytes.")
    return goal.strip()
