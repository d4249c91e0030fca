"""What a chat model is asked and answers, as messages and as the record has them."""

from collections.abc import Sequence
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, messages_from_dict


def request_of(params: dict[str, Any]) -> dict[str, Any]:
    """What is asked, as JSON."""
    said = [{"role": message.type, "content": message.content} for message in params["input"]]
    return {**params, "input": said}


def message_of(response: dict[str, Any]) -> AIMessage:
    """An answer as the record has it."""
    (message,) = messages_from_dict([response])
    assert isinstance(message, AIMessage)
    return message


def with_note(messages: Sequence[BaseMessage], problem: str) -> list[BaseMessage]:
    """The messages, with what was wrong with the answer to them."""
    return appended(messages, f"Your last answer could not be used: {problem}. Answer again.")


def appended(messages: Sequence[BaseMessage], note: str) -> list[BaseMessage]:
    """The messages with a note at their end: what stands before stays in the server's cache.

    It goes into a last message by the user, since some chat templates refuse two in a row.
    """
    last = messages[-1]
    if isinstance(last, HumanMessage) and isinstance(last.content, str):
        return [*messages[:-1], HumanMessage(f"{last.content}\n\n{note}")]
    return [*messages, HumanMessage(note)]
