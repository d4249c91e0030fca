"""The tools as code finds them while its own call is under way."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any

from replan.state.task import Action, Observation
from replan.storage.journal import OF_CODE, Entry, sha256_of
from replan.storage.recording import Recording
from replan.tools.policy import Decision
from replan.tools.protocol import CallContext, Tool, ToolError
from replan.tools.repeating import is_repeatable, request_of
from replan.tools.toolbox import Toolbox

# Code reads what a model could not be shown.
_MOST_CHARS = 250_000


class CodeChangedItsMindError(ToolError):
    """Code that is run again makes another call than the one whose effect is there already."""

    reason = "outcome unknown"


class ToolboxOfCode(Toolbox):
    """Policy, protection, journal and revisions hold for every call as for any other.

    What differs:

    - The workspace is held by the call of the code, so no call waits for it.
    - Nobody is asked: a call that a person has to agree to is refused, since the answer would run
      the code again from its beginning.
    - Code runs again when the process ended in the middle of it. The calls that it had made are
      not made again: their results are taken from the record, and the files they left come back.
      Where it now makes another call than one that must not be repeated, it is stopped.

    Args:
        outer: the toolbox that makes the call of the code.
        recording: for the calls within.
        context: of the call of the code.
    """

    role = OF_CODE

    def __init__(self, outer: Toolbox, recording: Recording, context: CallContext) -> None:
        tools = [tool for tool in outer.tools() if not getattr(tool, "runs_given_code", False)]
        super().__init__(
            outer.workspace,
            outer.seconds_per_call,
            tools,
            outer.policy,
            confinement=context.confinement,
            goal=outer.goal,
            recording=recording,
        )
        self._earlier: Sequence[Entry] | None = None
        self._made = 0

    async def _once(self, action: Action, tool: Tool, context: CallContext) -> Observation:
        if self._earlier is None:
            self._earlier = await self._recording.earlier()
        at, self._made = self._made, self._made + 1
        if at < len(self._earlier):
            self._hold_against(self._earlier[at], action, context)
        return await super()._once(action, tool, context)

    def _hold_against(self, before: Entry, action: Action, context: CallContext) -> None:
        """Raise when another call takes the place of one that must not be made again."""
        if before.request_sha256 == sha256_of(request_of(action, context)):
            return
        known = {tool.name: tool for tool in self.tools()}.get(before.name)
        if known is None or not is_repeatable(known, context):
            raise CodeChangedItsMindError(
                f"the run was interrupted during this code, after it had called {before.name}; run "
                f"again, it called {action.tool} in its place, so it was stopped. What "
                f"{before.name} did may be there: find out before you call it again."
            )

    def _alone(self) -> AbstractAsyncContextManager[Any]:
        return nullcontext()

    async def _of_before(self, entry: Entry) -> Observation:
        await self._recording.bring_back(entry)
        return await super()._of_before(entry)

    async def _roll_back(self, entry: Entry) -> None:
        """Nothing: the code began from the files as they were, and changed them since."""

    def _most_chars(self, tool: Tool | None) -> int:
        return _MOST_CHARS

    def _refusal(self, action: Action, decision: Decision) -> Observation | None:
        if decision.effect != "ask":
            return super()._refusal(action, decision)
        return Observation(
            ok=False,
            reason="ask",
            error=f"a person has to agree to this call ({decision.why}), and is not asked while "
            f"code runs. Give a script that is the call of {action.tool} and nothing else.",
        )
