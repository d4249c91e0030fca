"""Chooses by a short schema-constrained JSON answer; long content is asked for alone."""

import json
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage

from replan.nodes.contract import SelectToolRequest, SelectToolResult, Use
from replan.nodes.select_tool.conversation import conversation, temperature
from replan.nodes.select_tool.fenced import fenced
from replan.nodes.select_tool.offers import call_schema, offered
from replan.state.task import Action
from replan.tools.protocol import Tool

_CONTENT_TOKENS = 1200


class SelectByJson:
    """Two questions: which call (JSON), then, for a tool that takes long content, that content.

    One JSON object holding both is valid but its code is worse; free text with fences for both
    loses the form.
    """

    async def __call__(self, request: SelectToolRequest, use: Use) -> SelectToolResult:
        """The next tool call of the task."""
        tools = offered(request, use.tools)
        messages = conversation(request, use.tools)
        answer = await use.model.json(
            messages,
            choice_schema(tools, request),
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
        answer = await use.model.text(
            messages, max_tokens=_CONTENT_TOKENS, temperature=temperature(request.task)
        )
        return fenced(answer, nested=str(call.get("path", "")).endswith((".md", ".rst")))


def choice_schema(tools: list[Tool], request: SelectToolRequest) -> dict[str, Any]:
    """A thought first, so that the choice follows from it, then exactly one call."""
    calls = [call_schema(tool, request) for tool in tools]
    return {
        "type": "object",
        "properties": {
            "thought": {"type": "string", "maxLength": 150},
            "call": {"anyOf": calls},
        },
        "required": ["thought", "call"],
        "additionalProperties": False,
    }


def content_ask(tool: Tool, call: dict[str, Any]) -> str:
    """What the model is asked after its choice."""
    if tool.name == "write_file":
        return (
            f"Now give the complete text of {call['path']}, finished and without placeholders, "
            "in one fenced block and nothing else."
        )
    return (
        "Now give the complete script in one fenced block and nothing else. It runs in the "
        "workspace folder as it is: use relative paths, no placeholders, no input(), and print "
        "what was found or done."
    )
