"""A code action: Python that may call the other tools as functions.

CodeAct (Wang et al. 2024, "Executable Code Actions Elicit Better LLM Agents"): one script composes
several calls, with loops and conditions over their results, instead of a model's turn for each.
"""

import asyncio
import builtins
import keyword
import re
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from replan.state.task import Action, Observation
from replan.tools.bounds import clipped, encodable
from replan.tools.formats import syntax_fault
from replan.tools.protocol import CallContext, Tool, ToolError, schema
from replan.tools.python import SHOWN, observed, run_python
from replan.tools.sandbox.call_channel import (
    Answer,
    BadMessageError,
    CallChannel,
    Function,
    call_channel,
)
from replan.tools.sandbox.functions import HANDLE
from replan.tools.sandbox.protocol import SCRATCH
from replan.tools.sandbox.session import SCRIPT

if TYPE_CHECKING:
    from replan.tools.toolbox import Toolbox

_LEAST_SECONDS = 0.1


class CodeAction:
    """Runs as `python` does, in the sandbox. The calls of its functions go out to the toolbox."""

    name = "code_action"
    description = "run a Python script once in which the other tools are functions"
    parameters: ClassVar[dict[str, Any]] = schema(
        ["code"], code={"type": "string", "minLength": 1, "description": "the script"}
    )
    subject = "code"
    # Who has ruled about one-off code has ruled about this.
    ruled_as = ("python",)
    content = "code"
    content_language = "python"
    runs_code = True
    runs_given_code = True
    shown_chars = SHOWN

    def unavailable(self) -> str:
        """Always available."""
        return ""

    def told_of(self, goal: str) -> bool:
        """Never: only who selects by code speaks of it."""
        return False

    async def call(self, args: dict[str, Any], context: CallContext) -> Observation:
        """Run the code, after compiling it, and serve its calls."""
        code = str(args["code"])
        wrong = await asyncio.to_thread(syntax_fault, code, SCRIPT)
        if wrong:
            return Observation(ok=False, error=wrong)
        if context.within is None:
            raise ToolError("code can call tools only where it is itself called through a toolbox.")
        calls = _Calls(context.within(), context)
        async with call_channel(functions(calls.toolbox.available()), calls.make) as channel:
            finished = await run_python(
                (f"{SCRATCH}/{SCRIPT}",),
                context,
                {SCRIPT: code},
                {HANDLE: str(channel.handle)},
                (channel.handle,),
            )
        seen = await asyncio.to_thread(observed, finished, context.workspace, {SCRIPT: code})
        return calls.told(seen, channel)


class _Calls:
    """The calls that one code makes: their number, time, and how they went."""

    def __init__(self, toolbox: "Toolbox", context: CallContext) -> None:
        self.toolbox = toolbox
        self._context = context
        self._deadline = time.monotonic() + context.seconds
        self._made: list[str] = []
        self._under_way = ""
        self._refused = ""
        self._stopped: ToolError | None = None

    async def make(self, tool: str, args: dict[str, Any]) -> Answer:
        """Carry one out, within the time of the code."""
        if self._stopped is not None:
            return Answer(False, str(self._stopped))
        if len(self._made) >= self._context.calls:
            if self._refused:
                raise BadMessageError(self._refused)
            self._refused = f"no more than {self._context.calls} calls may be made by code here"
            return Answer(False, self._refused)
        self._made.append(tool)
        self._under_way = tool
        left = max(_LEAST_SECONDS, self._deadline - time.monotonic())
        action = Action(tool=tool, args=encodable(args))
        seen = await self.toolbox.call(action, left, self._context.protected)
        self._under_way = ""
        if seen.reason == "outcome unknown":
            self._stopped = ToolError(seen.error)
        return Answer(seen.ok, seen.text if seen.ok else seen.error)

    def told(self, seen: Observation, channel: CallChannel) -> Observation:
        """The observation of the code with what became of its calls."""
        lines = []
        if self._made:
            names = [clipped(name, 60) for name in dict.fromkeys(self._made)]
            lines.append(f"Tools that were called, {len(self._made)} times: {', '.join(names)}")
        if channel.broken:
            lines.append(f"The code could call no more tools: {channel.broken}.")
        if self._under_way:
            lines.append(
                f"The call of {clipped(self._under_way, 60)} had not ended: it may or may not have "
                "had its effect."
            )
        changes: dict[str, Any] = {
            "text": "\n".join([seen.text, *lines]),
            "calls": len(self._made),
        }
        if self._stopped is not None:
            changes |= {"ok": False, "error": str(self._stopped), "reason": "outcome unknown"}
        return seen.model_copy(update=changes)


def functions(tools: Sequence[Tool]) -> list[Function]:
    """The tools as functions: the required arguments come first."""
    made: list[Function] = []
    taken: set[str] = set()
    for tool in tools:
        name = function_name(tool.name)
        while name in taken:
            name += "_"
        taken.add(name)
        properties = tool.parameters.get("properties", {})
        required = [name for name in tool.parameters.get("required", []) if name in properties]
        arguments = list(dict.fromkeys([*required, *properties]))
        made.append(Function(name, tool.name, arguments, tool.description))
    return made


def function_name(tool: str) -> str:
    """A name that Python takes and that hides none of its own."""
    name = re.sub(r"\W", "_", tool)
    taken = keyword.iskeyword(name) or hasattr(builtins, name) or not name.isidentifier()
    return f"tool_{name}" if taken else name
