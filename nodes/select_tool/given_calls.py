"""Calls that need not be chosen: planned ahead, those that did a task like this one before, the
look at what was made already, and the run of a script that was mended.
"""

from replan.nodes.contract import SelectToolRequest
from replan.nodes.decompose.known_uses import changes
from replan.nodes.survey import CODE, is_new
from replan.state.task import Action, Task
from replan.tools.script_check import arguments_of


def given_call(task: Task) -> Action | None:
    """The next of them; None where there are none, one of them failed, or all were made."""
    if task.rounds < len(task.calls):
        return task.calls[task.rounds]
    return _run_of_mended(task)


def look_at_made(request: SelectToolRequest) -> Action | None:
    """The look at what the task is to make, where a script for an earlier task has made it already:
    a small model asked for one of several steps writes the script for all of them, and would write
    it again for each. None where something is missing, or was tried.
    """
    task = request.task
    made = {one.check.path for one in task.before if one.passed and one.check.kind == "file_exists"}
    if task.rounds or task.planned_anew or task.failing or not request.earlier or not task.writes:
        return None
    if not made.issuperset(task.writes) or any(path.endswith(CODE) for path in task.writes):
        return None
    if changes(task.title) or any(not is_new(request.brief.survey, one) for one in task.writes):
        return None
    return Action(tool="read_file", args={"path": task.writes[0]}, thought="it was made before")


def _run_of_mended(task: Task) -> Action | None:
    """The run of the script that was just mended and was seen to run: it makes the other files."""
    last = task.attempts[-1] if task.attempts else None
    if last is None or last.action.tool not in ("edit_file", "write_file"):
        return None
    run = [one for one in last.evidence if one.check.kind == "script_runs"]
    mended = [one.check for one in run if one.check.path in last.observation.changed]
    if not mended or not all(one.passed for one in run):
        return None
    args = {"path": mended[0].path, "arguments": arguments_of(mended[0])}
    return Action(tool="run_script", args=args, thought="it was mended")
