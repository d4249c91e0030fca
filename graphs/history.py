"""Each step's files become a revision, and the state carries it."""

import asyncio
from dataclasses import dataclass, field

from replan.graphs.cast import Scene
from replan.graphs.limits import revision_limits
from replan.state.errors import WorkspaceError
from replan.state.task import Observation
from replan.storage.revisions import revisions_in
from replan.tools.bounds import storable
from replan.tools.toolbox import one_call_at_a_time
from replan.tools.workspace import Workspace

_NAMED = 5


@dataclass(frozen=True)
class Kept:
    """The revision, "" where none can be kept, and what is missing from it since this step."""

    revision: str = ""
    left_out: dict[str, str] = field(default_factory=dict)

    @property
    def note(self) -> str:
        """A line on files that no revision holds; "" when there are none."""
        if not self.left_out:
            return ""
        named = [f"{path} ({why})" for path, why in sorted(self.left_out.items())[:_NAMED]]
        more = f" and {len(self.left_out) - _NAMED} more" if len(self.left_out) > _NAMED else ""
        return storable(
            f"Not in the workspace's revisions, so not to be restored: {', '.join(named)}{more}."
        )

    def told(self, observation: Observation) -> Observation:
        """The observation, with the note."""
        if not self.note:
            return observation
        text = storable(f"{observation.text.rstrip()}\n{self.note}".lstrip())
        return observation.model_copy(update={"text": text})


async def keep_revision(where: Scene, after: str) -> Kept:
    """Take a revision of the workspace while no call is at work in it.

    Args:
        where: the node's scene.
        after: the revision of the state that the node was given.

    Raises:
        WorkspaceError: the workspace is gone.
        DatabaseError: the revision cannot be stored. No half of it is, and the run is resumable.
    """
    if where.recording.taken is not None:  # after a call of this node
        known = where.recording.taken
        return Kept(known.revision, {**where.recording.left_out, **known.left_out})
    # Without a thread there is no checkpoint to go back to.
    revisions = await revisions_in(where.runtime.store) if where.thread_id else None
    if revisions is None:
        return Kept()
    async with one_call_at_a_time(where.workspace):
        taken = await revisions.take(
            where.workspace.path, where.thread_id, revision_limits(where.context), after
        )
    return Kept(taken.revision, {**where.recording.left_out, **taken.left_out})


async def must_be_there(workspace: Workspace) -> None:
    """A workspace removed during a run stops it: the agent would go on with no files at all.

    Raises:
        WorkspaceError: it is gone.
    """
    if not await asyncio.to_thread(workspace.path.is_dir):
        raise WorkspaceError(
            f"the workspace {workspace.path} is gone.",
            "Its last revision comes back with: replan resume THREAD, or replan restore THREAD.",
        )
