"""What a checkpoint keeps of tasks that were done or dropped long ago.

The tasks of a plan are one channel, written whole whenever one of them changes. Kept as they were,
with their attempts, the tasks that are behind would make each step of a long run write more than
the one before. All of it stays in the checkpoints of their time, and in the journal.
"""

from collections.abc import Collection
from typing import Any

LESSONS = 3
LESSON_CHARS = 200
# Of the done and of the dropped each: those that are told of to the tasks that follow, and more.
_WHOLE = 8
_RESULT_CHARS = 80
_TITLE_CHARS = 200
_KEPT = (
    "id",
    "title",
    "status",
    "tries",
    "rounds",
    "writes",
    "depends_on",
    "result",
    "rehearsed",
    "sources",
)


def with_settled_small(tasks: dict[str, Any], except_for: Collection[str] = ()) -> dict[str, Any]:
    """The tasks, of which those that were settled long ago are kept by what is still asked of them.

    That is what they were, how they ended, and the first lessons of what went wrong, which are
    told when the run ends.

    Args:
        tasks: by id, as plain JSON, in the order of the plan.
        except_for: ids of those that stay whole in any case.
    """
    long_ago: set[str] = set()
    needed = {
        name
        for task in tasks.values()
        if _status(task) in ("open", "failed")
        for name in task.get("depends_on", [])
    }
    for status in ("done", "dropped"):
        settled = [name for name, task in tasks.items() if _status(task) == status]
        long_ago.update(settled[:-_WHOLE])
    # What an open task waited for is shown to it.
    long_ago.difference_update(except_for, needed)
    if not long_ago:
        return tasks
    lessons: set[tuple[str, str]] = set()
    return {
        name: _small(task, lessons) if name in long_ago else task for name, task in tasks.items()
    }


def _status(task: Any) -> Any:
    return task.get("status") if isinstance(task, dict) else None


def _small(task: dict[str, Any], lessons: set[tuple[str, str]]) -> dict[str, Any]:
    """The task without what nobody asks for any more, and without what is empty."""
    small = {name: task[name] for name in _KEPT if task.get(name)}
    small["title"] = "".join(small.get("title", "").splitlines()[:1])[:_TITLE_CHARS]
    if "result" in small:
        small["result"] = " ".join(small["result"].split())[:_RESULT_CHARS].strip()
    attempts = []
    for attempt in task.get("attempts", []):
        lesson = attempt["action"]["tool"], attempt.get("reason", "")[:LESSON_CHARS]
        wrong = attempt.get("verdict") == "retry" and lesson[1]
        if wrong and lesson not in lessons and len(lessons) < LESSONS:
            lessons.add(lesson)
            attempts.append(_lesson(*lesson))
    return {**small, "attempts": attempts} if attempts else small


def _lesson(tool: str, reason: str) -> dict[str, Any]:
    """An attempt that says no more than what went wrong."""
    return {
        "action": {"tool": tool},
        "observation": {"ok": False},
        "verdict": "retry",
        "reason": reason,
    }
