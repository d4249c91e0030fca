"""`replan research`: a report on a goal, each of its statements with the source that holds it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from langgraph.types import Overwrite

from replan.cli.run import run_goal
from replan.cli.session import Session, whole_usage
from replan.cli.settle import at_the_edge
from replan.graphs.known import RESEARCH
from replan.graphs.limits import still_short
from replan.state.errors import UsageError
from replan.state.research import ResearchState


def research_goal(
    goal: str, thread_id: str | None, given: dict[str, Any], as_json: bool, documents: Path | None
) -> int:
    """Write a report on a goal. Returns the exit code; see `run_goal`."""

    def command() -> int:
        if documents is not None:
            folder = documents.expanduser().absolute()
            if not folder.is_dir():
                raise UsageError(f"the documents folder {documents} is not there.")
            given["documents"] = str(folder)
        return run_goal(goal, thread_id, given, as_json, RESEARCH)

    return at_the_edge(command)


class ResearchSession(Session):
    """One thread of the research report."""

    name = RESEARCH
    state: type = ResearchState

    async def reopen(self) -> str:
        """Makes an ended thread go on with the sections that are not done."""
        snapshot = await self.snapshot()
        values = snapshot.values
        status = str(values.get("status", ""))
        if snapshot.next or status == "done":
            return "" if snapshot.next else status
        if limit := still_short(values, await self.kept_context(), self.context):
            raise UsageError(f"{limit}.", "Give more, for example --max-steps 60.")
        if not values.get("sections"):
            raise UsageError("it ended before it had an outline.", "Begin anew: replan research.")
        done = {
            name: found
            for name, found in values.get("found", {}).items()
            if found["status"] == "done"
        }
        changed = {"status": "", "reason": "", "report": "", "short": "", "found": Overwrite(done)}
        # Not as `merge`: what follows that depends on what the run is told.
        await self.graph.aupdate_state(self.config, changed, as_node="claim")
        return status

    async def result(self) -> dict[str, Any]:
        """What `--json` prints."""
        snapshot = await self.snapshot()
        values: Mapping[str, Any] = snapshot.values
        configurable = snapshot.config.get("configurable", {})
        waiting = list(snapshot.interrupts)
        return {
            "thread_id": self.thread_id,
            "checkpoint_id": configurable.get("checkpoint_id"),
            "status": "waiting" if waiting else values.get("status") or "failed",
            "reason": values.get("reason", ""),
            "report": values.get("report", ""),
            "citations": values.get("citations", []),
            "dropped": values.get("dropped", []),
            "artifacts": values.get("artifacts", []),
            "usage": whole_usage(values.get("usage", {})),
            "workspace": values.get("workspace", ""),
            "waiting": [{"interrupt": one.id, **one.value} for one in waiting],
        }
