"""`replan fork`: a new branch of a thread, run for real from one of its checkpoints."""

import json
import sys
from collections.abc import Sequence
from typing import Any

from replan.cli.run import Errand, check_thread_id, finish, until_interrupted
from replan.cli.settle import at_the_edge, context_from
from replan.state.errors import UsageError


def fork_thread(
    thread_id: str,
    checkpoint: str,
    given: dict[str, Any],
    edits: Sequence[str],
    goal: str | None,
    as_json: bool,
) -> int:
    """Fork a checkpoint and run the branch to its end. Returns the exit code.

    Args:
        thread_id: the thread.
        checkpoint: an id, the end of one, or head.
        given: settings that replace those of the run.
        edits: `channel=value`, the value as JSON, or else as text.
        goal: another goal.
        as_json: print one JSON object.
    """
    errand = Errand(thread_id)

    def command() -> int:
        check_thread_id(thread_id)
        changes = dict(map(_edit, edits))
        if goal is not None:
            changes["goal"] = goal
        return until_interrupted(errand, lambda: _fork(errand, checkpoint, given, changes, as_json))

    return at_the_edge(command, errand)


async def _fork(
    errand: Errand,
    checkpoint: str,
    given: dict[str, Any],
    edits: dict[str, Any],
    as_json: bool,
) -> int:
    from replan.cli.session import session
    from replan.graphs.forking import checked_edits
    from replan.graphs.known import not_inside
    from replan.storage.checkpoints import id_of_checkpoint, standing_of

    async with session(errand.thread_id, context_from(given), as_json, resumed=True) as run:
        forked = await id_of_checkpoint(run.kept, run.thread_id, checkpoint)
        at = await standing_of(run.kept, run.thread_id, forked)
        not_inside(run.thread_id, forked, at.namespace, at.caller_id)
        await run.fork(forked, given, checked_edits(edits, run.state))
        print(f"replan: a branch of {run.thread_id} from {forked}", file=sys.stderr)
        return await finish(errand, run, "", as_json)


def _edit(text: str) -> tuple[str, Any]:
    name, mark, value = text.partition("=")
    if not name or not mark:
        raise UsageError(f"--state takes CHANNEL=VALUE, not {text[:60]!r}.")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value
