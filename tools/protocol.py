"""What every tool looks like, and what a call is given."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from replan.state.errors import ReplanError
from replan.state.task import Action, Observation

if TYPE_CHECKING:
    from replan.tools.sandbox.protocol import Confinement
    from replan.tools.toolbox import Toolbox
    from replan.tools.workspace import Workspace


# Calls that one code may make.
MOST_CALLS = 50

# The argument that, where a tool names it as its subject, is an address of the web.
ADDRESS = "url"


class ToolError(ReplanError):
    """A call that cannot be carried out; the toolbox turns it into an observation.

    `reason` becomes the observation's: the limit or rule that ended the call, "" when none did.
    """

    reason = ""


class TimeLimitError(ToolError):
    """A call that did not end in its time."""

    reason = "time limit"


class ServerEndedError(ToolError):
    """A call whose server ended in the middle of it: made again, it meets a new one."""

    reason = "server ended"


async def _admitted(action: Action) -> None:
    """Where there is no policy."""


@dataclass(frozen=True)
class CallContext:
    """What a call may use.

    Attributes:
        workspace: the folder that the call works in.
        seconds: wall-clock time the call may take.
        protected: workspace paths that must not change.
        only_removes: no file may be renamed; a call of `all_or_nothing` after which one is has
            failed.
        confinement: the sandbox that code runs in; None for `auto` and the usual limits.
        session: name of the sandbox session whose variables `python` keeps, such as thread and
            task; "" for a fresh script each call.
        call_id: the same however often the run is resumed in the middle of the call, and no other
            call's: what services take as an idempotency key. "" where nothing is recorded.
        admit: raises ToolError when the policy does not admit a call that this one leads to, such
            as that of the address to which a page redirects.
        calls: how many calls of tools the code of this call may make.
        within: the toolbox for those; None where code cannot make any.
    """

    workspace: Workspace
    seconds: float = 60.0
    protected: Sequence[str] = ()
    only_removes: bool = False
    confinement: Confinement | None = None
    session: str = ""
    call_id: str = ""
    admit: Callable[[Action], Awaitable[None]] = _admitted
    calls: int = MOST_CALLS
    within: Callable[[], Toolbox] | None = None


class Tool(Protocol):
    """Something the agent may do in the world.

    A tool that never changes the workspace may set `reads_only = True`: the toolbox then spares
    itself the search for changed files. One that only some goals need may have a method
    `told_of(goal) -> bool`: where it says no, the prompt does not name the tool. One that reaches
    beyond the workspace and the sandbox sets `leaves = True`: a person is asked before each call,
    unless a rule says otherwise. Of longer results than `shown_chars` the model sees both ends.
    One that sets `repeatable = True` may be called again, from the files as they were, when a run
    ended in the middle of a call; so may one that `runs_code` in the sandbox alone. Of any other
    the agent is told that the outcome is unknown, unless the tool has a method
    `async settle(args, context) -> Observation | None` that finds out what became of the call with
    `context.call_id`, and makes it when it was not made; None when it cannot tell.

    One that sets `all_or_nothing = True` leaves nothing when its call fails: in a workspace of at
    most 1,000 files and 20 MB, what it had changed is put back.

    What approval rules are matched against, a tool says by `subject`, the name of an argument
    (where that is `path` or `folder`, it is a path of the workspace; `url`, an address), or, where
    one argument does not tell, by a method `subjects(args, workspace)` that returns the paths
    concerned, inner files of folders included; it may block. Without either it is all arguments as
    JSON.
    """

    @property
    def name(self) -> str:
        """How the model calls it."""
        ...

    @property
    def description(self) -> str:
        """One line, for the prompt."""
        ...

    @property
    def parameters(self) -> dict[str, Any]:
        """JSON schema of all arguments, the long one included."""
        ...

    @property
    def content(self) -> str | None:
        """Name of the long argument, which the model is asked for alone, in a fenced block."""
        ...

    @property
    def content_language(self) -> str:
        """What follows the opening fence of that block; "" for plain text."""
        ...

    def unavailable(self) -> str:
        """Why it cannot be used here; "" when it can."""
        ...

    async def call(self, args: dict[str, Any], context: CallContext) -> Observation:
        """Carry out a call with validated arguments.

        Raises:
            ToolError: the call cannot be carried out.
        """
        ...


def schema(required: Sequence[str] = (), **properties: dict[str, Any]) -> dict[str, Any]:
    """The JSON schema of a tool's arguments; others than these are an error."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }
