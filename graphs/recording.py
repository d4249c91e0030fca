"""The record of a node's calls in the journal, and of what they leave in the workspace."""

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from langgraph.config import get_config
from langgraph.runtime import Runtime

from replan.graphs.limits import revision_limits
from replan.graphs.part import agent_of, context_of
from replan.state.context import Context
from replan.storage.folder_scan import Limits
from replan.storage.journal import Entry, Journal, Kind, Outcome, Place, sha256_of
from replan.storage.recording import UNRECORDED, Recording
from replan.storage.restore import restore
from replan.storage.revisions import Taken, revisions_in
from replan.tools.toolbox import one_call_at_a_time
from replan.tools.workspace import Workspace

# Of each agent of this process: the settings noted last, in which run, and where that was then.
_NOTED: OrderedDict[str, tuple[tuple[str, str], Place]] = OrderedDict()
_MOST_AGENTS = 1000
_SETTINGS = -1  # The number of their entry: calls are counted from 0.


class Recorded:
    """The calls of one execution of a node.

    Args:
        journal: where they are noted.
        place: which execution it is.
        workspace: the folder that the calls work in.
        main: the run's workspace, where that one is a copy of it.
        limits: what its revisions may hold.
        run: the server's id of the run, where there is one.
        agent: which agent of which thread makes the calls.

    Attributes:
        taken: the revision after the last call that may have changed the workspace.
    """

    def __init__(
        self,
        journal: Journal,
        place: Place,
        workspace: Workspace,
        limits: Limits,
        run: str = "",
        main: Workspace | None = None,
        agent: str = "",
    ) -> None:
        self._journal = journal
        self._main = main or workspace
        self._run = run
        self._agent = agent or place.thread_id
        self._place = place
        self._workspace = workspace
        self._limits = limits
        self._number = 0
        self.replaying = False
        self._settled = False
        self.taken: Taken | None = None
        self.left_out: Mapping[str, str] = {}

    async def begin(self, kind: Kind, *, role: str, name: str, request: Any) -> Entry | None:
        """See `Recording`."""
        number, self._number = self._number, self._number + 1
        revision = ""
        if kind in ("tool", "join"):
            revision = await self._journal.revisions.last(
                self._workspace.path, self._place.thread_id
            )
        return await self._journal.begin(
            self._place, number, kind, role=role, name=name, request=request, revision=revision
        )

    async def finish(
        self,
        entry: Entry | None,
        response: Any,
        *,
        outcome: Outcome = "ok",
        usage: Mapping[str, Any] | None = None,
        changes: bool = False,
    ) -> None:
        """See `Recording`. The revision comes first: a result that is noted has its files."""
        if entry is None:
            return
        left = ""
        if changes:
            self.taken = await self._journal.revisions.take(
                self._workspace.path,
                self._place.thread_id,
                self._limits,
                entry.revision,
                noted_next=True,
            )
            left = self.taken.revision
        await self._journal.finish(entry, response, outcome=outcome, usage=usage, left=left)

    async def note_settings(self, settings: Callable[[], Mapping[str, Any]]) -> None:
        """See `Recording`. Noted once a process and run, when they change, and where a run has
        gone back, so that each branch of a thread has them. With them goes the workspace as it is
        then: while nothing ran, people may have changed it.
        """
        if self._settled:
            return
        self._settled, place = True, self._place
        told = settings()
        now = sha256_of(told), self._run
        noted, before = _NOTED.get(self._agent, (("", ""), place))
        back = place.step < before.step or (
            place.step == before.step and place.checkpoint_id != before.checkpoint_id
        )
        _NOTED[self._agent] = now, place
        _NOTED.move_to_end(self._agent)
        if len(_NOTED) > _MOST_AGENTS:
            _NOTED.popitem(last=False)
        if noted == now and not back:
            return
        async with one_call_at_a_time(self._main):
            taken = await self._journal.revisions.take(
                self._main.path, place.thread_id, self._limits
            )
        # Files that people have changed meanwhile make another note of it.
        digest = await self._main.digest()
        request = {**told, "thread": place.thread_id, "workspace": digest}
        entry = await self._journal.begin(
            place,
            _SETTINGS,
            "settings",
            role="",
            name=place.node,
            request=request,
            revision=taken.revision,
        )
        self.left_out = taken.left_out
        if entry.outcome != "ok":
            await self._journal.finish(entry, {})

    async def roll_back(self, entry: Entry) -> None:
        """See `Recording`."""
        await self._become(entry.revision)

    async def bring_back(self, entry: Entry) -> None:
        """See `Recording`."""
        await self._become(entry.left)

    def within(self, entry: Entry | None) -> Recording:
        """See `Recording`. Numbered for themselves: where the call is not made again, those after
        it keep their numbers.
        """
        if entry is None:
            return UNRECORDED
        place = replace(self._place, execution=entry.call_id)
        return Recorded(self._journal, place, self._workspace, self._limits, self._run)

    async def earlier(self) -> Sequence[Entry]:
        """See `Recording`."""
        return await self._journal.of_execution(self._place.thread_id, self._place.execution)

    async def _become(self, revision: str) -> None:
        """The workspace as it was; what is there now becomes a revision of its own, so nothing is
        lost.
        """
        if not revision:
            return
        revisions, folder = self._journal.revisions, self._workspace.path
        thread_id = self._place.thread_id
        now = await revisions.take(folder, thread_id, self._limits)
        if now.revision != revision:
            await restore(revisions, revision, folder, now.revision, overwrite=True)
            await revisions.take(folder, thread_id, self._limits)


async def recording_of(
    runtime: Runtime[Context], workspace: Workspace, task: str, main: Workspace
) -> Recording:
    """The record of the node that runs now; none without a thread or our tables."""
    info = runtime.execution_info
    revisions = await revisions_in(runtime.store) if info and info.thread_id else None
    if revisions is None or info is None:
        return UNRECORDED
    return Recorded(
        Journal(revisions),
        place_of(runtime, task),
        workspace,
        revision_limits(context_of(runtime)),
        info.run_id or "",
        main,
        agent_of(runtime),
    )


def place_of(runtime: Runtime[Context], task: str = "") -> Place:
    """Which execution of which node this is. Only inside a node."""
    info = runtime.execution_info
    assert info is not None
    metadata = get_config().get("metadata", {})
    return Place(
        thread_id=info.thread_id or "",
        checkpoint_id=info.checkpoint_id,
        execution=info.task_id,
        step=int(metadata.get("langgraph_step", 0)),
        node=str(metadata.get("langgraph_node", "")),
        task=task,
    )
