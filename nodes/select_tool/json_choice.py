"""Chooses by a short schema-constrained JSON answer; long content is asked for alone."""

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from itertools import product
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage

from replan.models.schemas import strict_object
from replan.nodes.contract import SelectToolRequest, SelectToolResult, Use
from replan.nodes.faults import better_before
from replan.nodes.named_files import is_test_file
from replan.nodes.select_tool.content import again_ask, content_ask
from replan.nodes.select_tool.conversation import SOURCES, conversation, temperature
from replan.nodes.select_tool.demands import better_of, forgotten
from replan.nodes.select_tool.fenced import PROSE, fenced, without_other_files, without_own_name
from replan.nodes.select_tool.first_look import first_look
from replan.nodes.select_tool.form_repair import repaired_form
from replan.nodes.select_tool.function_repair import (
    question,
    rewritten,
    same_code,
    suspects,
    tried_in_vain,
)
from replan.nodes.select_tool.given_calls import given_call, look_at_made
from replan.nodes.select_tool.imports import with_imports
from replan.nodes.select_tool.known_mends import known_mend, remedy
from replan.nodes.select_tool.line_breaks import with_line_breaks
from replan.nodes.select_tool.listing_order import with_sorted_listings
from replan.nodes.select_tool.mending import (
    MEND_LINE,
    MEND_SCRIPT,
    edits_of_line,
    edits_schema,
    failed_in_line,
    failing_line,
    is_mending,
    line_of_script,
    line_schema,
    mended,
    place_of_failure,
    read_editable,
    script_to_mend,
)
from replan.nodes.select_tool.offers import (
    asks_for_source,
    call_schemas,
    offered,
    only_call,
)
from replan.nodes.select_tool.run_on import cut_run_on
from replan.nodes.select_tool.string_quotes import with_own_quotes
from replan.nodes.select_tool.table_query import table_query
from replan.nodes.select_tool.ties import with_ordered_ties
from replan.state.errors import ReplanError
from replan.state.task import Action
from replan.tools.protocol import Tool
from replan.tools.workspace import Workspace

# Most content is shorter than the first limit. What reaches it is either endless, and is better
# cut there than a minute later, or long, and is then asked for again with room.
_FIRST_TOKENS = 400
_MOST_TOKENS = 1600
_FUNCTION_TOKENS = 800
_MOST_SUSPECTS = 2


_WARM = 0.9
_THOUGHT = 300
_TEST_CHARS = 20_000
_KNOWN = "the fault is known"
_CHOICE_TOKENS = 500


class SelectByJson:
    """Two questions: which call (JSON), then, for a tool that takes long content, that content.
    Where only one call is possible, the first is not asked. A script that failed in one of its
    lines is mended by one question alone: which lines are wrong.

    One JSON object holding both is valid but its code is worse; free text with fences for both
    loses the form.
    """

    async def __call__(self, request: SelectToolRequest, use: Use) -> SelectToolResult:
        """The next tool call of the task."""
        given = given_call(request.task) or look_at_made(request) or first_look(request, use.tools)
        if given:
            return SelectToolResult(action=given)
        if query := await table_query(request, use):
            return SelectToolResult(action=query)
        sources = await read_editable(request, use.tools.workspace)
        if mends := await self._mending(sources, request, use):
            return SelectToolResult(action=mends)
        tools = offered(request, use.tools, sources)
        messages = conversation(request, use.tools, sources)
        only = only_call(tools, request)
        if only:
            answer: dict[str, Any] = {"call": only}
        else:
            answer = await self._choice(messages, tools, request, sources, use)
        call = dict(answer["call"])
        tool = use.tools.get(call.pop("tool"))
        action = Action(tool=tool.name, args=call, thought=answer.get("content", ""))
        if tool.content:
            asked = [*messages, AIMessage(json.dumps(answer, ensure_ascii=False))]
            action.args[tool.content] = await self._content_of(asked, tool, call, request, use)
        return SelectToolResult(action=action)

    async def _content_of(
        self,
        messages: list[BaseMessage],
        tool: Tool,
        call: dict[str, Any],
        request: SelectToolRequest,
        use: Use,
    ) -> str:
        """The long argument, with the slips put right that can be seen in it."""
        task, path = request.task, str(call.get("path", ""))
        asked = [*messages, HumanMessage(content_ask(tool, call, task, task.attempts))]
        content = await self._content(asked, tool, call, request, use)
        lacks = forgotten(content, task.words) if tool.name == "python" else ""
        if lacks:
            again = HumanMessage(again_ask(lacks))
            asked += [AIMessage(f"```python\n{content}\n```"), again]
            other = await self._content(asked, tool, call, request, use)
            content = better_of(content, other, task.words)
        if path:
            content = without_own_name(content, path)
        if path and not path.endswith(PROSE):
            content = without_other_files(content, path, {*request.existing, *task.writes})
        if tool.content_language == "python" or path.endswith(".py"):
            content = with_sorted_listings(with_line_breaks(with_own_quotes(content)))
            content = with_imports(with_ordered_ties(content, request.brief.goal))
        return content

    async def _mending(
        self, sources: Mapping[str, str], request: SelectToolRequest, use: Use
    ) -> Action | None:
        """The call that puts right what is nearly right; None where the model is to choose."""
        task = request.task
        if repair := await repaired_form(task, use.tools.workspace):
            return repair
        if failed_in_line(task) and (better := known_mend(task)):
            return Action(tool="python", args={"code": with_imports(better)}, thought=_KNOWN)
        script = script_to_mend(task)
        if script and (action := await self._mend(script, request, use)):
            return action
        if not is_mending(request):
            return None
        line = await self._mend_line(sources, request, use)
        return line or await self._rewrite(sources, request, use)

    async def _choice(
        self,
        messages: list[BaseMessage],
        tools: list[Tool],
        request: SelectToolRequest,
        sources: Mapping[str, str],
        use: Use,
    ) -> dict[str, Any]:
        """The answer to which call; asked again, warmer, where its edits would change nothing."""
        for warmth in (temperature(request.task), _WARM):
            answer = await use.model.json(
                messages,
                choice_schema(tools, request, sources),
                name="select_tool",
                max_tokens=_CHOICE_TOKENS,
                temperature=warmth,
            )
            edits = answer["call"].get("edits", [])
            if not edits or any(one["old"].strip() != one["new"].strip() for one in edits):
                break
        return answer

    async def _mend(self, script: str, request: SelectToolRequest, use: Use) -> Action | None:
        """The last script with its wrong lines replaced: shorter, and better, than a new one.
        None when no edit could be made.
        """
        line = failing_line(script, line_of_script(request.task))
        ask = MEND_LINE.format(line=line) if line else MEND_SCRIPT
        answer = await use.model.json(
            conversation(request, use.tools, {}, ask),
            line_schema(script) if line else strict_object({"edits": edits_schema(script)}),
            name="mend_script",
            max_tokens=_CHOICE_TOKENS,
            temperature=temperature(request.task),
        )
        edits = edits_of_line(script, line, answer) if line else answer["edits"]
        code = mended(script, edits)
        if code == script:
            return None
        faults = "; ".join(filter(None, (edit["fault"] for edit in edits)))
        code = with_imports(with_own_quotes(code))
        return Action(tool="python", args={"code": code}, thought=faults[:_THOUGHT])

    async def _mend_line(
        self, sources: Mapping[str, str], request: SelectToolRequest, use: Use
    ) -> Action | None:
        """The line put right in which a script of the workspace fails that is to run; None where
        that is not known, or nothing is changed.
        """
        path, number, error = place_of_failure(request.task) or ("", 0, "")
        if better := remedy(sources.get(path, ""), error, number, request.task):
            args = {"path": path, "text": with_imports(better)}
            return Action(tool="write_file", args=args, thought=_KNOWN)
        line = failing_line(sources.get(path, ""), number)
        if not line:
            return None
        answer = await use.model.json(
            conversation(request, use.tools, sources, MEND_LINE.format(line=line)),
            line_schema(sources[path]),
            name="mend_line",
            max_tokens=_CHOICE_TOKENS,
            temperature=temperature(request.task),
        )
        edits = edits_of_line(sources[path], line, answer)
        if mended(sources[path], edits) == sources[path]:
            return None
        return Action(tool="edit_file", args={"path": path, "edits": edits})

    async def _rewrite(
        self, sources: Mapping[str, str], request: SelectToolRequest, use: Use
    ) -> Action | None:
        """The function that a failing test is about, written anew; None where nobody can tell which
        that is, or the answer changes nothing.
        """
        code = {
            path: text
            for path, text in sources.items()
            if path.endswith(".py") and not is_test_file(path)
        }
        tests = await _texts(filter(is_test_file, request.existing), use.tools.workspace)
        task = request.task
        for path in code:
            if better := better_before(task, path):  # what made it worse is undone
                code[path] = better.action.args["text"]
                others = [one for one in task.attempts if one is not better]
                task = task.model_copy(update={"attempts": [*others, better]})
                break
        asked = suspects(task, code, tests)[:_MOST_SUSPECTS]
        for again, found in product((False, True), asked):
            # Asked alike, it says what it said.
            anew = again or tried_in_vain(found, task)
            warmth = max(temperature(task), _WARM if anew else 0.0)
            messages = question(found, code[found.path], task, tests, anew=anew)
            answer = await use.model.text(messages, max_tokens=_FUNCTION_TOKENS, temperature=warmth)
            if use.model.truncated:  # its end is missing
                continue
            text = rewritten(code[found.path], found, fenced(answer))
            known = (code[found.path], sources[found.path])
            if text and not any(same_code(text, one) for one in known):
                args = {"path": found.path, "text": text}
                return Action(tool="write_file", args=args, thought=found.thought)
        return None

    async def _content(
        self,
        messages: list[BaseMessage],
        tool: Tool,
        call: dict[str, Any],
        request: SelectToolRequest,
        use: Use,
    ) -> str:
        warmth = temperature(request.task)
        nested = str(call.get("path", "")).endswith((".md", ".rst"))
        answer = await use.model.text(messages, max_tokens=_FIRST_TOKENS, temperature=warmth)
        if use.model.truncated:
            if cut := cut_run_on(fenced(answer, nested)):
                return cut
            answer = await use.model.text(messages, max_tokens=_MOST_TOKENS, temperature=warmth)
        return fenced(answer, nested)


async def _texts(paths: Iterable[str], workspace: Workspace) -> dict[str, str]:
    """What the files hold, as far as they can be read."""
    found = {}
    for path in paths:
        with suppress(ReplanError):
            found[path] = await workspace.read_text(path, _TEST_CHARS)
    return found


def choice_schema(
    tools: list[Tool], request: SelectToolRequest, sources: Mapping[str, str]
) -> dict[str, Any]:
    """One call, after where the content comes from, where that decides between code and text.

    No free thought before it: a small model that thinks of one tool first thinks of the wrong one
    and then chooses it. Unasked, it writes down by heart what has to be computed.
    """
    properties: dict[str, Any] = {}
    if asks_for_source(tools, request):
        properties["content"] = {"enum": list(SOURCES)}
    properties["call"] = {"anyOf": call_schemas(tools, request, sources)}
    return strict_object(properties)
