"""Approval rules: which tool calls are allowed, asked about, or denied. And the answers to asking.

A rule is `TOOL` or `TOOL(PATTERN)` behind its effect: `deny:write_file(*.md)`. Both parts are
patterns in the manner of the shell, where `*` also takes slashes and line ends: `*.md` is a file in
any folder, `mcp__git__*` every tool of a server. A tool without a pattern means all of its calls.
"""

import re
from fnmatch import fnmatchcase
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

Effect = Literal["deny", "ask", "allow"]
EFFECTS: tuple[Effect, ...] = get_args(Effect)
_RULE = re.compile(r"(?P<tool>[\w\-*?\[\]!]+)(?:\((?P<pattern>.*)\))?", re.DOTALL)
_MOST_CHARS = 1000
_MOST_RULES = 500


class Rule(BaseModel):
    """One rule. `pattern` is None where every call of the tool is meant."""

    model_config = ConfigDict(frozen=True)

    effect: Effect
    tool: str
    pattern: str | None = None

    def is_about(self, tool: str) -> bool:
        """Whether it is about calls of that tool."""
        return fnmatchcase(tool, self.tool)

    def matches(self, subject: str) -> bool:
        """Whether a call with that subject is meant."""
        return self.pattern is None or fnmatchcase(subject, self.pattern)

    def __str__(self) -> str:
        pattern = "" if self.pattern is None else f"({self.pattern})"
        return f"{self.effect}:{self.tool}{pattern}"


def parse_rule(text: str) -> Rule:
    """A rule with its effect, such as `ask:python(*)`.

    Raises:
        ValueError: it is none; the message says what one looks like.
    """
    effect, colon, call = text.strip().partition(":")
    if effect not in EFFECTS or not colon:
        raise ValueError(
            f"{text[:80]!r} is no rule: write allow:TOOL, ask:TOOL(PATTERN) or deny:TOOL(PATTERN)"
        )
    return parse_call(effect, call)


def parse_call(effect: Effect, text: str) -> Rule:
    """A rule from its effect and the calls it is about, such as `write_file(*.md)`.

    Raises:
        ValueError: it is none; the message says what one looks like.
    """
    found = _RULE.fullmatch(text.strip()) if len(text) <= _MOST_CHARS else None
    if found is None:
        raise ValueError(f"{text[:80]!r} is no pattern: write TOOL or TOOL(PATTERN)")
    return Rule(effect=effect, tool=found["tool"], pattern=found["pattern"])


def _rule_text(text: str) -> str:
    return str(parse_rule(text))


def _call_text(text: str) -> str:
    return str(parse_call("allow", text)).removeprefix("allow:")


RuleText = Annotated[str, AfterValidator(_rule_text)]
CallText = Annotated[str, AfterValidator(_call_text)]


class Approvals(BaseModel):
    """The section `[approvals]` of the settings file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    deny: list[CallText] = Field(default_factory=list, max_length=_MOST_RULES)
    ask: list[CallText] = Field(default_factory=list, max_length=_MOST_RULES)
    allow: list[CallText] = Field(default_factory=list, max_length=_MOST_RULES)

    def rules(self) -> list[Rule]:
        """All of them."""
        return [parse_call(effect, text) for effect in EFFECTS for text in getattr(self, effect)]


class Answer(BaseModel):
    """What a person answers to a call that waits: the form of the value that resumes it.

    `args` replace the call's arguments when `decision` is edit; `reason` is told to the model when
    it is reject.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    decision: Literal["approve", "edit", "reject"]
    args: dict[str, Any] | None = Field(
        None, description="All arguments of the call as they shall be; only with edit."
    )
    reason: str = Field(
        "", max_length=2000, description="Why not, for the agent to read; only with reject."
    )
