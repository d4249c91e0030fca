"""Asks a chat model for JSON, text or a tool call; asks again when the answer cannot be used."""

import asyncio
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from langchain_core.messages import AIMessage, BaseMessage, message_to_dict

from replan.models.answers import UnusableError, called, content_of, function_of
from replan.models.budget import UNLIMITED, Budget, prompt_tokens
from replan.models.failures import RESUMABLE, said_by, translated
from replan.models.messages import appended, message_of, request_of, with_note
from replan.models.patience import broke_off, patience, pause, whole
from replan.models.prices import cost
from replan.models.schemas import is_strict, read_object, violation, without_lengths
from replan.state.errors import LimitReachedError, ModelAnswerError, ReplanError
from replan.state.usage import Usage, add_usage
from replan.state.waiting import Waiting
from replan.storage.journal import Entry
from replan.storage.recording import UNRECORDED, Recording

if TYPE_CHECKING:
    from replan.models.chat import ChatModel

T = TypeVar("T")

# At temperature 0 a rejected answer comes back word for word: each repeat is warmer.
WARMER = (0.0, 0.4, 0.8)
# Reasoning counts as output; without room for it, a short answer is cut off before it begins.
REASONING_TOKENS = 4_000
# Parameters that some servers or models refuse; a request is sent again without the one named.
_OPTIONAL = ("temperature", "reasoning_effort", "response_format", "tool_choice", "stream_options")


class Asker:
    """A chat model, and what asking it has used so far.

    Args:
        chat: the model to ask.
        seconds: time for all calls of this asker together; None for the client's own limits.
        attempts: how often a question is asked before giving up on its answer.
        recording: what the calls go through.
        role: who asks, for the record.
        budget: what all calls of this asker together may use up.
        warmth: the least temperature, whoever asks.

    Attributes:
        usage: calls, tokens, dollars and seconds so far, answers that were refused included.
        truncated: whether the last answer was cut off at `max_tokens`.
        waiting: for the model.
    """

    def __init__(
        self,
        chat: "ChatModel",
        seconds: float | None = None,
        attempts: int = 3,
        recording: Recording = UNRECORDED,
        role: str = "",
        budget: Budget = UNLIMITED,
        warmth: float = 0.0,
    ) -> None:
        self.warmth = warmth
        self.chat = chat
        self.budget = budget
        self.recording = recording
        self.role = role
        self.seconds = seconds
        self.attempts = attempts
        self.usage = Usage(model_calls=0, input_tokens=0, output_tokens=0, model_seconds=0.0)
        self.truncated = False
        self.waiting = Waiting()

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
            LimitReachedError: the budget is used up.
        """

        def read(answer: AIMessage) -> dict[str, Any]:
            try:
                value = read_object(content_of(answer))
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
            LimitReachedError: the budget is used up.
        """
        return await self._ask(messages, content_of, max_tokens, temperature, {})

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
            LimitReachedError: the budget is used up.
        """
        offered = {function_of(tool)["name"]: function_of(tool) for tool in tools}

        def read(answer: AIMessage) -> tuple[str, dict[str, Any]]:
            name, args = called(answer, self.truncated)
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
            asked = with_note(messages, problem) if problem else list(messages)
            warmth = max(temperature, self.warmth, WARMER[min(attempt, len(WARMER) - 1)])
            with self.waiting:
                call = await self._call(asked, max_tokens, warmth, extra)
            if self.truncated and call.limit:
                raise LimitReachedError(call.limit)
            try:
                return read(call.answer)
            except UnusableError as error:
                problem = str(error)
                unusable.append(call)
        # Resumed, the run is to ask again. The first entry, which it comes to in any case, then
        # tells what all have used up.
        spent = Usage()
        for call in unusable:
            spent = add_usage(spent, call.spent)
        for call in unusable:
            said = message_to_dict(call.answer)
            await self.recording.finish(call.entry, said, outcome="failed", usage=dict(spent))
            spent = Usage()
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
    ) -> "_Call":
        """One answer, recorded; a parameter that is refused is left out from then on."""
        import openai

        while True:
            params = self._parameters(messages, max_tokens, temperature, extra, self.chat.refused)
            params["max_tokens"], limit = self._room(params)
            self.budget.seconds_left()
            entry = await self.recording.begin(
                "model",
                role=self.role,
                name=self.chat.name,
                request=self._request(messages, params["max_tokens"], temperature, extra),
            )
            before = _used_before(entry)
            if entry is not None and entry.outcome == "ok":
                answer = self._taken(message_of(entry.response), before)
                return _Call(entry, answer, before, limit)
            self._add(before)
            started = time.monotonic()
            try:
                answer = await self._answer(params)
            except Exception as error:
                waited = Usage(model_seconds=time.monotonic() - started)
                self._add(waited)
                known = error if isinstance(error, ReplanError) else self._translated(error)
                spent = dict(add_usage(before, waited))
                await self.recording.finish(
                    entry, {"error": known.what}, outcome="failed", usage=spent
                )
                if isinstance(error, openai.BadRequestError) and self._learn(error, params):
                    continue
                raise known from error
            now = self._spent(answer, time.monotonic() - started)
            whole_usage = add_usage(before, now)
            await self.recording.finish(entry, message_to_dict(answer), usage=dict(whole_usage))
            return _Call(entry, self._taken(answer, now), whole_usage, limit)

    async def _answer(self, params: dict[str, Any]) -> AIMessage:
        """A whole answer. The client asks again by itself, but not once one has begun to come."""
        most, attempt = self.chat.client.root_async_client.max_retries, 0
        async with asyncio.timeout(self._remaining()):
            while True:
                with patience(self.budget.seconds_left()):
                    try:
                        return whole(await self.chat.client.ainvoke(**params))
                    except Exception as error:
                        if attempt >= most or not broke_off(error, most):
                            raise
                await pause(attempt)
                attempt += 1

    def _room(self, params: dict[str, Any]) -> tuple[int, str]:
        """How long the answer may be, and the limit that makes it shorter than was wanted."""
        per_input, per_output = self._price(1, 0), self._price(0, 1)
        known = per_input is not None and per_output is not None
        return self.budget.room(
            lambda: prompt_tokens(request_of(params)),
            params["max_tokens"],
            (per_input or 0.0, per_output or 0.0) if known else None,
            self.usage,
        )

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
            messages = appended(messages, note)
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
        room: int,
        temperature: float,
        extra: dict[str, Any],
    ) -> dict[str, Any]:
        """What is asked, as JSON, whatever the server takes of it: that is learned anew by each
        process, and a question is the same question. `of` is what it depends on of the model.
        """
        params = self._parameters(messages, room, temperature, extra, ())
        return {**request_of(params), "max_tokens": room, "of": self.chat.traits}

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
        used = self.usage["model_seconds"]
        return None if self.seconds is None else max(0.0, self.seconds - used)

    def _spent(self, answer: AIMessage, seconds: float) -> Usage:
        used = answer.usage_metadata
        tokens = (used["input_tokens"], used["output_tokens"]) if used else (0, 0)
        spent = Usage(
            model_calls=1, input_tokens=tokens[0], output_tokens=tokens[1], model_seconds=seconds
        )
        if (price := self._price(*tokens)) is not None:
            spent["cost_usd"] = price
        return spent

    def _price(self, input_tokens: int, output_tokens: int) -> float | None:
        name = "embedded" if self.chat.provider == "embedded" else self.chat.name
        return cost(name, input_tokens, output_tokens)

    def _taken(self, answer: AIMessage, spent: Usage) -> AIMessage:
        """Count an answer, made now or taken from the record."""
        self._add(spent)
        self.truncated = answer.response_metadata.get("finish_reason") == "length"
        return answer

    def _add(self, more: Usage) -> None:
        self.usage = add_usage(self.usage, more)

    def _translated(self, error: Exception) -> ReplanError:
        return translated(error, self.chat.name, self.chat.base_url)


@dataclass(frozen=True)
class _Call:
    """An answer, its entry in the record, what it used up, and the limit that bounded it."""

    entry: Entry | None
    answer: AIMessage
    spent: Usage
    limit: str


def _used_before(entry: Entry | None) -> Usage:
    """What the record says a call has used up, its failures before a resume too.

    Of this node's own time it is no part, so it counts as such.
    """
    used: Usage = Usage(**((entry.usage if entry else None) or {}))  # type: ignore[typeddict-item]
    if "model_seconds" in used:
        used["seconds"] = used["model_seconds"]
    return used
