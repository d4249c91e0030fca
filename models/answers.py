"""What a model's answer holds: its text, or the tool call it makes."""

import re
from typing import Any

from langchain_core.messages import AIMessage

from replan.models.schemas import read_object

_THINKING = re.compile(r"\A\s*<think>.*?</think>\s*", re.DOTALL)


class UnusableError(Exception):
    """An answer came that cannot be used; the message tells the model why."""


def content_of(answer: AIMessage) -> str:
    """The answer's text without the model's thinking."""
    if refusal := answer.additional_kwargs.get("refusal"):
        raise UnusableError(f"it was a refusal: {str(refusal)[:200]}")
    if answer.response_metadata.get("finish_reason") == "content_filter":
        raise UnusableError("it was stopped by a content filter")
    text = _THINKING.sub("", answer.text)
    if not text.strip():
        raise UnusableError("it was empty")
    return text


def function_of(tool: dict[str, Any]) -> dict[str, Any]:
    """The function of an OpenAI tool schema, with or without its wrapping."""
    function: dict[str, Any] = tool.get("function", tool)
    return function


def called(answer: AIMessage, truncated: bool) -> tuple[str, dict[str, Any]]:
    """The first tool call; also one that was written out as text, as small models do."""
    if answer.tool_calls:
        return answer.tool_calls[0]["name"], answer.tool_calls[0]["args"]
    if answer.invalid_tool_calls:
        raise UnusableError("the tool call's arguments are not valid JSON")
    try:
        written = read_object(content_of(answer))
        name, args = written["name"], written["arguments"]
    except (ValueError, KeyError):
        why = "it was cut off before a tool call" if truncated else "it held no tool call"
        raise UnusableError(why) from None
    if not isinstance(name, str) or not isinstance(args, dict):
        raise UnusableError("it held no tool call")
    return name, args
