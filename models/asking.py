"""Asks a chat model for JSON, text or a tool call; asks again when the answer cannot be used."""

import asyncio
import re
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    HumanMessage,
    message_to_dict,
    messages_from_dict,
)

from replan.models.failures import RESUMABLE, said_by, translated
from replan.models.prices import cost
from replan.models.schemas import is_strict, read_object, violation, without_lengths
from replan.state.errors import ModelAnswerError, ReplanError
from replan.state.usage import Usage, add_usage
from replan.storage.journal import Entry
from replan.storage.recording import UNRECORDED, Recording

if TYPE_CHECKING:
    from replan.models.chat import ChatModel

T = TypeVar("T")

# At temperature 0 a rejected answer comes back word for word: each repeat is warmer.
WARMER = (0.0, 0.4, 0.8)
# Reasoning counts as output; without room for it, a short answer is cut off before it begins.
REASONING_TOKENS = 4_000
_THINKING = re.compile(r"\A\s*<think>.*?</think>\s*", re.DOTALL)
_TRAITS = ("temperature", "reasoning_output")
# Parameters that some servers or models refuse; a request is sent again without the one named.
_OPTIONAL = ("temperature", "reasoning_effort", "response_format", "tool_choice", "stream_options")


class UnusableError(Exception):
    """An answer came that cannot be used; the message tells the model why."""


class Asker:
    """A chat model, and what asking it has used so far.

    Args:
        chat: the model to ask.
        seconds: time for all calls of this asker together; None for the client's own limits.
        attempts: how often a question is asked before giving up on its answer.
        recording: what the calls go through.
        role: who asks, for the record.

    Attributes:
        usage: calls, tokens, dollars and seconds so far, answers that were refused included.
        truncated: whether the last answer was cut off at `max_tokens`.
    """

    def __init__(
        self,
        chat: "ChatModel",
        seconds: float | None = None,
        attempts: int = 3,
        recording: Recording = UNRECORDED,
        role: str = "",
    ) -> None:
        self.chat = chat
        self.recording = recording
        self.role = role
        self.seconds = seconds
        self.attempts = attempts
        self.usage = Usage(model_calls=0, input_tokens=0, output_tokens=0, model_seconds=0.0)
        self.truncated = False

    async def json(
        self,
        messages: Sequence[BaseMessage],
        schema: dict[str, Any],
        *,
        name: str,
        max_tokens: int,
        temperature: float = 0.0,
    ) -> dict[str, Any]:
        """An object that fits the JSON schema, which is called `name` towards the server.

        Raises:
            ModelAnswerError: no attempt gave one.
            ModelUnavailableError: the model cannot be asked.
        """

        def read(answer: AIMessage) -> dict[str, Any]:
            try:
                value = read_object(_content(answer))
            except ValueError as error:
                if self.truncated:
                    raise UnusableError("it was cut off; keep it much shorter") from None
                raise UnusableError(str(error)) from None
            if wrong := violation(value, schema):
                raise UnusableError(f"the JSON does not fit the schema: {wrong}")
            return value

        sent = without_lengths(schema) if self.chat.provider == "openai" else schema
        wanted = {"name": name, "schema": sent, "strict": is_strict(sent)}
        # In the body, not as an argument: given one, the client parses the answer by itself, and
        # raises, with the usage lost, where it was cut off.
        body = {"response_format": {"type": "json_schema", "json_schema": wanted}}
        return await self._ask(messages, read, max_tokens, temperature, {"extra_body": body})

    async def text(
        self, messages: Sequence[BaseMessage], *, max_tokens: int, temperature: float = 0.0
    ) -> str:
        """A text that is not empty; `truncated` says whether it was cut off.

        Raises:
            ModelAnswerError: no attempt gave one.
            ModelUnavailableError: the model cannot be asked.
        """
        return await self._ask(messages, _content, max_tokens, temperature, {})

    async def tool_call(
        self,
        messages: Sequence[BaseMessage],
        tools: list[dict[str, Any]],
        *,
        max_tokens: int,
        temperature: float = 0.0,
    ) -> tuple[str, dict[str, Any]]:
        """The name and arguments of the tool that the model calls, by native tool calling.

        A call written out as text, `{"name": ..., "arguments": {...}}`, is taken as well.

        Args:
            messages: what to ask.
            tools: OpenAI function schemas; the arguments are checked against `parameters`.
            max_tokens: limit of the answer.
            temperature: of the first attempt.

        Raises:
            ModelAnswerError: no attempt gave a call that fits.
            ModelUnavailableError: the model cannot be asked.
        """
        offered = {_function(tool)["name"]: _function(tool) for tool in tools}

        def read(answer: AIMessage) -> tuple[str, dict[str, Any]]:
            name, args = _called(answer, self.truncated)
            if name not in offered:
                raise UnusableError(f"there is no tool {name!r}; there are: {', '.join(offered)}")
            if wrong := violation(args, offered[name].get("parameters", {})):
                raise UnusableError(f"the arguments of {name} do not fit: {wrong}")
            return name, args

        functions = [{"type": "function", "function": each} for each in offered.values()]
        extra = {"tools": functions, "tool_choice": "required"}
        return await self._ask(messages, read, max_tokens, temperature, extra)

    async def _ask(
        self,
        messages: Sequence[BaseMessage],
        read: Callable[[AIMessage], T],
        max_tokens: int,
        temperature: float,
        extra: dict[str, Any],
    ) -> T:
        problem, unusable = "", []
        for attempt in range(self.attempts):
            asked = _with_note(messages, problem) if problem else list(messages)
            warmth = max(temperature, WARMER[min(attempt, len(WARMER) - 1)])
            entry, answer = await self._call(asked, max_tokens, warmth, extra)
            try:
                return read(answer)
            except UnusableError as error:
                problem = str(error)
                unusable.append((entry, answer))
        # Resumed, the run is to ask again.
        for entry, answer in unusable:
            await self.recording.finish(entry, message_to_dict(answer), outcome="failed")
        raise ModelAnswerError(
            f"The model {self.chat.name} gave no usable answer in {self.attempts} attempts; "
            f"the last: {problem}.",
            RESUMABLE,
        )

    async def _call(
        self,
        messages: list[BaseMessage],
        max_tokens: int,
        temperature: float,
        extra: dict[str, Any],
    ) -> tuple[Entry | None, AIMessage]:
        """One answer, counted, and its entry in the record.

        A parameter that the server refuses is left out from then on.
        """
        import openai

        while True:
            params = self._parameters(messages, max_tokens, temperature, extra, self.chat.refused)
            entry = await self.recording.begin(
                "model",
                role=self.role,
                name=self.chat.name,
                request=self._request(messages, max_tokens, temperature, extra),
            )
            if entry is not None and entry.outcome == "ok":
                return entry, self._taken(_message(entry.response), entry.usage or {})
            started = time.monotonic()
            try:
                async with asyncio.timeout(self._remaining()):
                    answer = await self.chat.client.ainvoke(**params)
            except Exception as error:
                self._add(Usage(model_seconds=time.monotonic() - started))
                known = self._translated(error)
                await self.recording.finish(entry, {"error": known.what}, outcome="failed")
                if isinstance(error, openai.BadRequestError) and self._learn(error, params):
                    continue
                raise known from error
            spent = self._spent(answer, time.monotonic() - started)
            await self.recording.finish(entry, message_to_dict(answer), usage=dict(spent))
            return entry, self._taken(answer, spent)

    def _parameters(
        self,
        messages: list[BaseMessage],
        max_tokens: int,
        temperature: float,
        extra: dict[str, Any],
        refused: Collection[str],
    ) -> dict[str, Any]:
        params: dict[str, Any] = {"temperature": temperature, **extra}
        profile = self.chat.client.profile or {}
        if profile.get("temperature") is False:
            del params["temperature"]
        if profile.get("reasoning_output"):
            max_tokens += REASONING_TOKENS
            # OpenAI takes tools in chat completions only from a model that does not reason.
            params["reasoning_effort"] = "none" if "tools" in extra else "low"
        body = dict(params.pop("extra_body", {}))
        if "response_format" in refused and "response_format" in body:
            schema = body.pop("response_format")["json_schema"]["schema"]
            note = f"Answer with one JSON object that fits this JSON schema: {schema}"
            messages = _appended(messages, note)
        kept = {key: value for key, value in params.items() if key not in refused}
        return {
            "input": messages,
            "max_tokens": max_tokens,
            **kept,
            **({"extra_body": body} if body else {}),
        }

    def _request(
        self,
        messages: list[BaseMessage],
        max_tokens: int,
        temperature: float,
        extra: dict[str, Any],
    ) -> dict[str, Any]:
        """What is asked, as JSON, whatever the server takes of it: that is learned anew by each
        process, and a question is the same question. `of` is what it depends on of the model.
        """
        params = self._parameters(messages, max_tokens, temperature, extra, ())
        said = [{"role": message.type, "content": message.content} for message in params["input"]]
        return {**params, "input": said, "of": traits(self.chat)}

    def _learn(self, error: Exception, params: dict[str, Any]) -> bool:
        """Notes the parameter that a refusal names; False when it names none that was sent."""
        sent = {*params, *params.get("extra_body", {})}
        body = getattr(error, "body", None)
        named = str(body.get("param") or "") if isinstance(body, dict) else ""
        text = f"{named} {said_by(error)}".lower()
        for option in _OPTIONAL:
            if option in sent and option in text:
                self.chat.refused.add(option)
                return True
        return False

    def _remaining(self) -> float | None:
        if self.seconds is None:
            return None
        return max(0.0, self.seconds - self.usage["model_seconds"])

    def _spent(self, answer: AIMessage, seconds: float) -> Usage:
        used = answer.usage_metadata
        tokens = (used["input_tokens"], used["output_tokens"]) if used else (0, 0)
        spent = Usage(
            model_calls=1, input_tokens=tokens[0], output_tokens=tokens[1], model_seconds=seconds
        )
        price = cost("embedded" if self.chat.provider == "embedded" else self.chat.name, *tokens)
        if price is not None:
            spent["cost_usd"] = price
        return spent

    def _taken(self, answer: AIMessage, spent: Usage | Mapping[str, Any]) -> AIMessage:
        """Count an answer, made now or taken from the record."""
        self._add(Usage(**spent))  # type: ignore[typeddict-item]
        self.truncated = answer.response_metadata.get("finish_reason") == "length"
        return answer

    def _add(self, more: Usage) -> None:
        self.usage = add_usage(self.usage, more)

    def _translated(self, error: Exception) -> ReplanError:
        return translated(error, self.chat.name, self.chat.base_url)


def traits(chat: "ChatModel") -> dict[str, Any]:
    """What the form of a question depends on: the provider, and two things of its profile."""
    profile: Mapping[str, Any] = chat.client.profile or {}
    return {
        "provider": chat.provider,
        "profile": {name: profile[name] for name in _TRAITS if profile.get(name) is not None},
    }


def _message(response: dict[str, Any]) -> AIMessage:
    """An answer as the record has it."""
    (message,) = messages_from_dict([response])
    assert isinstance(message, AIMessage)
    return message


def _content(answer: AIMessage) -> str:
    """The answer's text without the model's thinking."""
    if refusal := answer.additional_kwargs.get("refusal"):
        raise UnusableError(f"it was a refusal: {str(refusal)[:200]}")
    if answer.response_metadata.get("finish_reason") == "content_filter":
        raise UnusableError("it was stopped by a content filter")
    text = _THINKING.sub("", answer.text)
    if not text.strip():
        raise UnusableError("it was empty")
    return text


def _function(tool: dict[str, Any]) -> dict[str, Any]:
    function: dict[str, Any] = tool.get("function", tool)
    return function


def _called(answer: AIMessage, truncated: bool) -> tuple[str, dict[str, Any]]:
    """The first tool call; also one that was written out as text, as small models do."""
    if answer.tool_calls:
        return answer.tool_calls[0]["name"], answer.tool_calls[0]["args"]
    if answer.invalid_tool_calls:
        raise UnusableError("the tool call's arguments are not valid JSON")
    try:
        written = read_object(_content(answer))
        name, args = written["name"], written["arguments"]
    except (ValueError, KeyError):
        why = "it was cut off before a tool call" if truncated else "it held no tool call"
        raise UnusableError(why) from None
    if not isinstance(name, str) or not isinstance(args, dict):
        raise UnusableError("it held no tool call")
    return name, args


def _with_note(messages: Sequence[BaseMessage], problem: str) -> list[BaseMessage]:
    return _appended(messages, f"Your last answer could not be used: {problem}. Answer again.")


def _appended(messages: Sequence[BaseMessage], note: str) -> list[BaseMessage]:
    """The messages with a note at their end: what stands before stays in the server's cache.

    It goes into a last message by the user, since some chat templates refuse two in a row.
    """
    last = messages[-1]
    if isinstance(last, HumanMessage) and isinstance(last.content, str):
        return [*messages[:-1], HumanMessage(f"{last.content}\n\n{note}")]
    return [*messages, HumanMessage(note)]
