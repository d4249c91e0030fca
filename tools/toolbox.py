"""The tools of a run: what there is, and one place through which every call goes."""

import asyncio
import hashlib
import json
import time
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from copy import copy
from dataclasses import replace
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

from replan.state.errors import DatabaseError, DivergedError, WorkspaceError
from replan.state.task import Action, Observation
from replan.state.waiting import Waiting
from replan.storage.journal import Entry
from replan.storage.recording import UNRECORDED, Recording
from replan.tools.arguments import validate
from replan.tools.bounds import clipped, storable
from replan.tools.code_action import CodeAction
from replan.tools.delete import DeleteFile
from replan.tools.documents.search_documents import SearchDocuments
from replan.tools.edit import EditFile
from replan.tools.files import ListFiles, ReadFile, WriteFile
from replan.tools.find import SearchFiles
from replan.tools.move import MoveFiles
from replan.tools.outputs import SHOWN_CHARS, shortened
from replan.tools.policy import Decision, Policy
from replan.tools.protocol import MOST_CALLS, CallContext, Tool, ToolError
from replan.tools.python import PythonTool, RunScript, RunTests
from replan.tools.read_page import ReadPage
from replan.tools.repeating import is_repeatable, request_of, settle
from replan.tools.sandbox.protocol import Confinement
from replan.tools.search.web_search import WebSearch
from replan.tools.tables.query_tables import QueryTables
from replan.tools.tool_lines import line_of, told_of
from replan.tools.watched_call import carry_out, failed, watched
from replan.tools.workspace import Workspace

NO_RULES = Policy()

# One lock a folder and event loop, alive while somebody holds it: every node has its own toolbox.
_LOCKS: WeakValueDictionary[tuple[int, Path], asyncio.Lock] = WeakValueDictionary()


def default_tools(documents: SearchDocuments | None = None) -> list[Tool]:
    """Every built-in tool, in the order in which the model is told of them.

    Args:
        documents: searches the user's documents; None for one by the settings and words alone.
    """
    return [
        PythonTool(),
        QueryTables(),
        RunScript(),
        RunTests(),
        ReadFile(),
        WriteFile(),
        EditFile(),
        MoveFiles(),
        ListFiles(),
        SearchFiles(),
        DeleteFile(),
        WebSearch(),
        ReadPage(),
        documents or SearchDocuments(),
        CodeAction(),
    ]


class Toolbox:
    """The tools of a run.

    Calls that may change the workspace are made one at a time, whichever toolbox they go through,
    so that what changed can be told apart by call. Every call has to pass the policy.

    Attributes:
        waiting: for calls.
    """

    # Who makes the calls, for the record.
    role = "execute"

    def __init__(
        self,
        workspace: Workspace,
        seconds_per_call: float = 60.0,
        tools: Sequence[Tool] | None = None,
        policy: Policy = NO_RULES,
        approved: Action | None = None,
        confinement: Confinement | None = None,
        goal: str = "",
        recording: Recording = UNRECORDED,
    ) -> None:
        """Makes a toolbox.

        Args:
            workspace: the folder that calls work in.
            seconds_per_call: time a call may take, unless it is told another.
            tools: None for the built-in ones.
            policy: which calls are made, asked about, refused; by default none that leaves
                workspace and sandbox.
            approved: the one call that a person has agreed to, where the policy says ask.
            confinement: the sandbox of code, and its limits; None for the defaults.
            goal: what the run is for: some tools are not told of where they are no use.
            recording: what the calls go through, so that each is made once.
        """
        self._recording = recording
        self.waiting = Waiting()
        self.workspace = workspace
        self.goal = goal
        self.seconds_per_call = seconds_per_call
        self.policy = policy
        self._confinement = confinement
        self._approved = approved
        self._tools = {tool.name: tool for tool in (default_tools() if tools is None else tools)}

    def agreed_to(self, action: Action) -> "Toolbox":
        """The same tools for one call that a person has agreed to."""
        made = copy(self)
        made._approved, made.waiting = action, Waiting()
        return made

    def names(self) -> list[str]:
        """All tools, those that are not available too."""
        return list(self._tools)

    def tools(self) -> list[Tool]:
        """All tools, those that are not available too."""
        return list(self._tools.values())

    def get(self, name: str) -> Tool:
        """The tool of that name.

        Raises:
            ToolError: there is none.
        """
        if name not in self._tools:
            for tool in self._tools.values():
                if hasattr(tool, "named") and (found := tool.named(name)) is not None:
                    return found  # type: ignore[no-any-return]
            known = ", ".join(tool.name for tool in self.available())
            raise ToolError(f"there is no tool {clipped(name, 60)!r}.", f"There are: {known}.")
        return self._tools[name]

    def available(self) -> list[Tool]:
        """The tools that can be used here."""
        return [tool for tool in self._tools.values() if not tool.unavailable()]

    def describe(self) -> str:
        """The tools for a prompt, a line each; the same lines for the same goal."""
        return "\n".join(map(line_of, told_of(self._tools.values(), self.goal)))

    def schemas(self) -> list[dict[str, Any]]:
        """The available tools as OpenAI function schemas, long arguments included."""
        return [
            {
                "type": "function",
                "function": {
                    "name": tool.name,
                    "description": tool.description,
                    "parameters": tool.parameters,
                },
            }
            for tool in self.available()
        ]

    def fingerprint(self, action: Action, digest: str) -> str:
        """sha256 of a call and of the workspace it meets: the same again would do the same again.

        Args:
            action: the call; its thought does not count.
            digest: `Workspace.digest()`.
        """
        args = json.dumps(action.args, sort_keys=True, ensure_ascii=True, default=str)
        return hashlib.sha256(f"{action.tool}\0{args}\0{digest}".encode()).hexdigest()

    async def decide(self, action: Action) -> Decision:
        """What the policy says of a call that could be made.

        Raises:
            ToolError: it cannot be made: no such tool, not available, wrong arguments.
        """
        tool = self.get(action.tool)
        if why := tool.unavailable():
            raise ToolError(f"{tool.name} is not available: {why}.")

        def decided() -> Decision:
            validate(tool, action.args)
            return self.policy.decide(action, tool, self.workspace)

        return await asyncio.to_thread(decided)

    async def call(
        self,
        action: Action,
        seconds: float | None = None,
        protected: Sequence[str] = (),
        only_removes: bool = False,
        session: str = "",
        calls: int = MOST_CALLS,
    ) -> Observation:
        """Carry out an action, once: what is recorded of it is not done again. Whatever goes
        wrong with it is in the observation.

        Args:
            action: tool and arguments.
            seconds: time it may take; None for the toolbox's own limit.
            protected: workspace paths that must not change: they are put back when they did.
            only_removes: no file may be renamed by a script.
            session: name of the sandbox session whose variables `python` keeps; "" for none.
            calls: how many calls of tools code may make itself.

        Raises:
            DatabaseError, WorkspaceError: the call cannot be recorded.
            DivergedError: in a replay, it is not the recorded one.
        """
        context = CallContext(
            workspace=self.workspace,
            seconds=self.seconds_per_call if seconds is None else seconds,
            protected=tuple(protected),
            only_removes=only_removes,
            confinement=self._confinement,
            session=session,
            admit=self._admit,
            calls=calls,
        )
        with self.waiting:
            return await self._admitted(action, context)

    async def _admitted(self, action: Action, context: CallContext) -> Observation:
        """The call, when it can be made and the policy admits it."""
        began = time.monotonic()
        try:
            tool = self.get(action.tool)
            decision = await self.decide(action)
            if (refusal := self._refusal(action, decision)) is not None:
                return refusal
            if getattr(tool, "reads_only", False):
                return await self._once(action, tool, context)
            async with self._alone():
                return await self._once(action, tool, context)
        except (DatabaseError, DivergedError, WorkspaceError):
            raise  # The record or the workspace is gone: the run cannot go on.
        except Exception as error:
            return await self._told(failed(error), action, began)

    async def _once(self, action: Action, tool: Tool, context: CallContext) -> Observation:
        """Make the call, or take what came of it before; see `storage.recording`."""
        began = time.monotonic()
        entry = await self._recording.begin(
            "tool", role=self.role, name=action.tool, request=request_of(action, context)
        )
        if entry is not None and entry.outcome == "ok":
            return await self._of_before(entry)
        changes = not getattr(tool, "reads_only", False)
        make = watched if changes else carry_out
        if entry is not None:
            context = replace(context, call_id=entry.call_id)
            if entry.begun_before and not is_repeatable(tool, context):
                make = settle
            elif entry.begun_before and changes:
                await self._roll_back(entry)
        context = replace(context, within=lambda: self.within(entry, context))
        try:
            seen = await make(tool, action.args, context)
        except Exception as error:
            seen = failed(error)
        seen = await self._told(seen, action, began)
        await self._recording.finish(entry, seen.model_dump(), changes=changes)
        return seen

    def within(self, entry: Entry | None, context: CallContext) -> "Toolbox":
        """The tools for the calls that code makes while its own call is under way.

        Args:
            entry: of the code's own call, None where nothing is recorded.
            context: of that call.
        """
        from replan.tools.toolbox_of_code import ToolboxOfCode

        return ToolboxOfCode(self, self._recording.within(entry), context)

    def _alone(self) -> AbstractAsyncContextManager[Any]:
        return one_call_at_a_time(self.workspace)

    async def _of_before(self, entry: Entry) -> Observation:
        """What came of a call that is not made again."""
        return Observation.model_validate(entry.response)

    async def _roll_back(self, entry: Entry) -> None:
        """Before a call whose end was not seen is made again."""
        await self._recording.roll_back(entry)

    async def _told(self, seen: Observation, action: Action, began: float) -> Observation:
        """The observation as the model is shown it."""
        most = self._most_chars(self._tools.get(action.tool))
        text, rest = await shortened(storable(seen.text), most, ReadFile.name in self._tools)
        return seen.model_copy(
            update={
                "text": text,
                "rest": rest or seen.rest,
                "error": storable(seen.error),
                "seconds": round(time.monotonic() - began, 3),
            }
        )

    def _most_chars(self, tool: Tool | None) -> int:
        return getattr(tool, "shown_chars", SHOWN_CHARS)

    def _refusal(self, action: Action, decision: Decision) -> Observation | None:
        """What is observed in place of a call that is not admitted."""
        if decision.effect == "deny":
            return Observation(
                ok=False,
                reason="denied",
                error=f"this call is denied by {decision.why}. Reach the goal in another way.",
            )
        if decision.effect == "ask" and not self._is_approved(action):
            return Observation(
                ok=False,
                reason="ask",
                error=f"a person has to agree to this call ({decision.why}), and nobody can be "
                "asked here. Reach the goal in another way.",
            )
        return None

    async def _admit(self, action: Action) -> None:
        """Raise when a call that an admitted one leads to is not admitted itself."""
        decision = await asyncio.to_thread(
            self.policy.decide, action, self.get(action.tool), self.workspace
        )
        if decision.effect == "allow" or (decision.effect == "ask" and self._is_approved(action)):
            return
        about = clipped(next(iter(action.args.values()), ""), 200)
        if decision.effect == "deny":
            raise ToolError(f"it leads on to {about}, which is denied by {decision.why}.")
        raise ToolError(
            f"it leads on to {about}, and a person has to agree to that ({decision.why}).",
            f"Call {action.tool} with that address.",
        )

    def _is_approved(self, action: Action) -> bool:
        agreed = self._approved
        return agreed is not None and (agreed.tool, agreed.args) == (action.tool, action.args)


def one_call_at_a_time(workspace: Workspace) -> asyncio.Lock:
    """The lock under which a folder is changed, and looked at while nothing may change in it."""
    key = (id(asyncio.get_running_loop()), workspace.path)
    return _LOCKS.setdefault(key, asyncio.Lock())
