"""Calls that only look: which they are, and how what they brought is kept."""

from replan.state.task import Action, Task
from replan.tools.documents.search_documents import RESULTS

LOOKING = (
    "read_file",
    "list_files",
    "search_files",
    "search_documents",
    "web_search",
    "read_page",
)


def found_by(action: Action, text: str) -> str:
    """What a look-up brought, behind the call that brought it."""
    return f"{' '.join(map(str, [action.tool, *action.args.values()]))}: {text}"


def reads(found: str, path: str) -> bool:
    """Whether what was found is from reading the file."""
    return found.startswith((f"read_file {path}: ", f"read_file {path} "))


def in_vain(task: Task) -> str:
    """The look-up that was made last, where it brought nothing that was not known, or all that
    there is; else "".

    A small model that has found what it needs asks for it again, in the same words or in others.
    """
    if not task.attempts:
        return ""
    last, earlier = task.attempts[-1], task.attempts[:-1]
    if last.action.tool not in LOOKING:
        return ""
    if last.observation.repeated:
        return last.action.tool
    if last.action.tool == "search_documents" and 0 < len(last.observation.sources) < RESULTS:
        return last.action.tool
    known = {(one.name, one.text) for attempt in earlier for one in attempt.observation.sources}
    brought = {(one.name, one.text) for one in last.observation.sources}
    return last.action.tool if brought and brought <= known else ""
