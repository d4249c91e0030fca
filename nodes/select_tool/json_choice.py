"""Chooses by a short schema-constrained JSON answer; long content is asked for alone."""

import json
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage

from replan.nodes.contract import SelectToolRequest, SelectToolResult, Use
from replan.nodes.select_tool.conversation import content_ask, conversation, temperature
from replan.nodes.select_tool.fenced import fenced
from replan.nodes.select_tool.offers import call_schema, is_mending, offered, only_call
from replan.nodes.select_tool.run_on import cut_run_on
from replan.state.task import Action
from replan.tools.protocol import Tool

# Most content is shorter than the first limit. What reaches it is either endless, and is better
# cut there than a minute later, or long, and is then asked for again with room.
_FIRST_TOKENS = 400
_MOST_TOKENS = 1600


# Characters. A choice wants a few words; code is mended better by who first says what is wrong.
_THOUGHT = 100
_DIAGNOSIS = 400


class SelectByJson:
    """Two questions: which call (JSON), then, for a tool that takes long content, that content.
    Where only one call is possible, the first is not asked.

    One JSON object holding both is valid but its code is worse; free text with fences for both
    loses the form.
    """

    async def __call__(self, request: SelectToolRequest, use: Use) -> SelectToolResult:
        """The next tool call of the task."""
        tools = offered(request, use.tools)
        messages = conversation(request, use.tools)
        only = only_call(tools, request)
        mending = is_mending(request)
        if only and not mending:
            answer: dict[str, Any] = {"thought": "", "call": only}
        else:
            answer = await use.model.json(
                messages,
                choice_schema(tools, request, _DIAGNOSIS if mending else _THOUGHT),
                name="select_tool",
                max_tokens=300,
                temperature=temperature(request.task),
            )
        call = dict(answer["call"])
        tool = use.tools.get(call.pop("tool"))
        action = Action(tool=tool.name, args=call, thought=answer["thought"])
        if tool.content:
            said = json.dumps(answer, ensure_ascii=False)
            asked = [*messages, AIMessage(said), HumanMessage(content_ask(tool, call))]
            action.args[tool.content] = await self._content(asked, tool, call, request, use)
        return SelectToolResult(action=action)

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


def choice_schema(tools: list[Tool], request: SelectToolRequest, thought: int) -> dict[str, Any]:
    """A thought of at most so many characters, so that the choice follows from it, then exactly
    one call.
    """
    calls = [call_schema(tool, request) for tool in tools]
    return {
        "type": "object",
        "properties": {
            "thought": {"type": "string", "maxLength": thought},
            "call": {"anyOf": calls},
        },
        "required": ["thought", "call"],
        "additionalProperties": False,
    }
