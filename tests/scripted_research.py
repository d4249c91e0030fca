"""A model that plays the research report from a script, for `openai_server`.

It tells the questions apart by the schema's name, and reads of a prompt only the numbered passages,
which are data.
"""

import json
import re
from collections.abc import Callable, Sequence
from typing import Any

from openai_server import Reply

_PASSAGE = re.compile(r"^(\d+)\. (.*) \(([^()]*)\)$", re.MULTILINE)

# From the passages (number, text, source) to what the model claims: (number, statement).
Claims = Callable[[list[tuple[int, str, str]]], list[tuple[Any, str]]]


def copied(passages: list[tuple[int, str, str]]) -> list[tuple[Any, str]]:
    """What an honest model may do: the first passages in their own words."""
    return [(number, text[:300]) for number, text, _ in passages[:3]]


class ScriptedResearch:
    """Callable from request body to answer.

    Args:
        sections: (heading, question) of each.
        claims: what it says of the passages that it is shown.
        title: of the report.
        query: the search in other words.
    """

    def __init__(
        self,
        sections: Sequence[tuple[str, str]],
        claims: Claims = copied,
        title: str = "A report",
        query: str = "something else",
    ) -> None:
        self._outline = {
            "title": title,
            "sections": [
                {"heading": heading, "question": question} for heading, question in sections
            ],
        }
        self._claims = claims
        self._query = query
        self.asked: list[str] = []

    def __call__(self, body: dict[str, Any]) -> Reply:
        name = body["response_format"]["json_schema"]["name"]
        self.asked.append(name)
        if name == "outline":
            return Reply(content=self._outline)
        if name == "search":
            return Reply(content={"query": self._query})
        assert name == "claims", name
        prompt = body["messages"][-1]["content"]
        shown = [(int(number), text, source) for number, text, source in _PASSAGE.findall(prompt)]
        said = [{"passage": number, "claim": text} for number, text in self._claims(shown)]
        return Reply(content=json.dumps({"claims": said[:5]}, ensure_ascii=False))
