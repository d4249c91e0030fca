"""A model that plays the whole agent from a script, for `openai_server`.

It tells the questions apart by what only they hold (the schema's name, the choice that stands
before a request for content), never by the words of a prompt, so that prompts may change.

    model = ScriptedAgent([Move("write_file", "hello", path="hello.txt")])
    async with openai_server(model) as server:
        ...
"""

import json
from collections.abc import Callable, Sequence
from typing import Any

from openai_server import Reply


class Move:
    """One tool call: the tool, its short arguments, and the long content asked for after it."""

    def __init__(self, tool: str, content: str = "", **args: Any) -> None:
        self.call = {"tool": tool, **args}
        self.content = content


class ScriptedAgent:
    """Callable from request body to answer.

    Args:
        moves: the tool calls in order, the last one again and again; or a function from the text
            of the request to a move.
        tasks: `title` and `writes` of the tasks, where the agent asks for them.
        uses: what the goal wants of a file; of others, the first answer that the schema allows.
        judged: whether the model holds a task without checks to be done, and the goal reached.
        report: what it writes as a report.
        codes: scripts, in order, for an agent that acts by code; asked for a text, it gives these
            before the report.
        delay: seconds before each answer.
    """

    def __init__(
        self,
        moves: Sequence[Move] | Callable[[str], Move],
        *,
        tasks: Sequence[dict[str, Any]] = (),
        uses: dict[str, str] | None = None,
        judged: bool = True,
        report: str = "It is written.",
        codes: Sequence[str] = (),
        delay: float = 0.0,
    ) -> None:
        self._moves = moves
        self._tasks = list(tasks)
        self._uses = uses or {}
        self._judged = judged
        self._report = report
        self._codes = list(codes)
        self.delay = delay
        self.asked: list[str] = []
        self._moved = 0
        self._contents: dict[str, str] = {}

    def __call__(self, body: dict[str, Any]) -> Reply:
        return Reply(content=self._answer(body), delay=self.delay)

    def _answer(self, body: dict[str, Any]) -> Any:
        if "response_format" not in body:
            return self._text(body)
        wanted = body["response_format"]["json_schema"]
        self.asked.append(wanted["name"])
        given: dict[str, Any] = {"uses": self._uses, "done": self._judged, "reached": self._judged}
        if wanted["name"] == "select_tool":
            move = self._next_move(body)
            self._contents[json.dumps(move.call, sort_keys=True)] = move.content
            given["call"] = move.call
        if wanted["name"] in ("mend_script", "mend_line"):
            given |= self._edits(wanted["schema"]["properties"], body)
        if self._tasks:
            given["tasks"] = self._tasks
        return fill(wanted["schema"], given)

    def _edits(self, properties: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
        """Edits that make the next move's script of the last one; none where that takes too many:
        then the agent asks for a new script.
        """
        if "new" not in properties:
            return {"edits": _rewritten(properties["edits"], self._next_move(body).content)}
        wrong = body["messages"][-1]["content"].split("\n")[-2]
        others = properties["other_edits"]["items"]["properties"]["old"].get("enum", [])
        if len(others) - 1 > properties["other_edits"]["maxItems"]:
            return {"new": wrong, "other_edits": []}
        edits = _rewritten(properties["other_edits"], "", wrong)
        return {"new": self._next_move(body).content, "other_edits": edits}

    def _text(self, body: dict[str, Any]) -> str:
        """A file's text or a script when a choice was just made, otherwise the report."""
        choice = _choice(body)
        if choice is None and self._codes:
            self.asked.append("code")
            return f"```python\n{self._codes.pop(0)}\n```"
        if choice is None:
            self.asked.append("report")
            return self._report
        self.asked.append("content")
        key = json.dumps(choice, sort_keys=True)
        if key not in self._contents:  # The agent did not ask for the choice: only one was left.
            self._contents[key] = self._next_move(body).content
        return f"```\n{self._contents.pop(key)}\n```"

    def _next_move(self, body: dict[str, Any]) -> Move:
        if callable(self._moves):
            return self._moves(json.dumps(body["messages"], ensure_ascii=False))
        self._moved += 1
        return self._moves[min(self._moved, len(self._moves)) - 1]


def fill(schema: dict[str, Any], given: dict[str, Any]) -> Any:
    """A value that fits the schema, with what is given by name where the schema has that name."""
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    if "anyOf" in schema:
        return fill(schema["anyOf"][0], given)
    kind = schema["type"]
    if kind == "object":
        value = {}
        for name, part in schema["properties"].items():
            if name in given:
                value[name] = _fitting(part, given[name])
            elif name in given.get("uses", {}) and "enum" in part:
                value[name] = given["uses"][name]
            else:
                value[name] = fill(part, given)
        return value
    if kind == "array":
        return [fill(schema["items"], given) for _ in range(schema.get("minItems", 0))]
    if kind == "boolean":
        return False
    if kind in ("integer", "number"):
        return 0
    return "scripted"


def _rewritten(edits: dict[str, Any], content: str, but: str = "") -> list[dict[str, str]]:
    """Edits that turn a script of a few different lines into another, or all lines but one."""
    lines = [line for line in edits["items"]["properties"]["old"]["enum"] if line != but]
    assert len(lines) <= edits["maxItems"], "too long a script to be mended by a scripted model"
    news = [content, *[""] * (len(lines) - 1)]
    return [
        {"fault": "scripted", "old": old, "new": new} for old, new in zip(lines, news, strict=False)
    ]


def _fitting(schema: dict[str, Any], value: Any) -> Any:
    """Tasks without the fields that the schema does not ask for."""
    if schema.get("type") != "array" or "properties" not in schema.get("items", {}):
        return value
    known = schema["items"]["properties"]
    return [{name: part for name, part in item.items() if name in known} for item in value]


def _choice(body: dict[str, Any]) -> dict[str, Any] | None:
    """The call that the latest turn of the model chose, if content is asked for behind it."""
    said = [message for message in body["messages"] if message["role"] == "assistant"]
    if not said or body["messages"][-1]["role"] != "user":
        return None
    try:
        call: dict[str, Any] = json.loads(said[-1]["content"])["call"]
    except (ValueError, KeyError, TypeError):
        return None
    return call
