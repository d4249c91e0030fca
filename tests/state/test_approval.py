"""Approval rules as text, and the answers to asking."""

import pytest
from pydantic import ValidationError

from replan.state.approval import Answer, Approvals, parse_rule
from replan.state.context import Context


@pytest.mark.parametrize(
    ("rule", "tool", "subject", "meant"),
    [
        ("allow:web_search", "web_search", "anything", True),
        ("ask:python(*)", "python", "import os\nos.getcwd()", True),
        ("ask:python(*requests*)", "python", "import os\nimport requests\n", True),
        ("ask:python(*requests*)", "python", "import os", False),
        ("deny:write_file(*.md)", "write_file", "docs/a.md", True),
        ("deny:write_file(*.md)", "write_file", "a.md.txt", False),
        ("deny:write_file(docs/*)", "write_file", "docs/a/b.txt", True),
        ("deny:write_file(docs/*)", "write_file", "other/docs/a", False),
        ("deny:write_file(*.md)", "read_file", "a.md", False),
        ("allow:mcp__git__*", "mcp__git__log", "{}", True),
        ("allow:mcp__git__*", "mcp__github__log", "{}", False),
        ("deny:*(*.env)", "read_file", "x/.env", True),
        ("allow:read_page(https://docs.example/*)", "read_page", "https://docs.example/a", True),
        ("deny:python(f(x))", "python", "f(x)", True),
        ("deny:write_file()", "write_file", "a", False),
    ],
)
def test_what_a_rule_means(rule: str, tool: str, subject: str, meant: bool) -> None:
    parsed = parse_rule(rule)
    assert str(parsed) == rule
    assert (parsed.is_about(tool) and parsed.matches(subject)) is meant


@pytest.mark.parametrize(
    "text", ["", "web_search", "permit:web_search", "deny:", "ask python(*)", "deny:a b", "ask:f(x"]
)
def test_what_is_no_rule_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is no (rule|pattern): write "):
        parse_rule(text)
    with pytest.raises(ValidationError, match="approvals"):
        Context(approvals=[text])


def test_rules_of_a_file_and_of_a_run() -> None:
    rules = Approvals(allow=["web_search"], deny=[" python(*) "]).rules()
    assert [str(rule) for rule in rules] == ["deny:python(*)", "allow:web_search"]
    with pytest.raises(ValidationError):
        Approvals(allow=["allow:web_search"])
    context = Context(approvals=["deny:python(*)"])
    assert [str(rule) for rule in context.rules()] == ["deny:python(*)"]
    assert Context(**context.changed()) == context


def test_answers() -> None:
    form = Answer.model_json_schema()
    assert form["required"] == ["decision"]
    assert all("description" in form["properties"][name] for name in ("args", "reason"))
    for wrong in ({}, {"decision": "yes"}, {"decision": "edit", "args": []}, "approve"):
        with pytest.raises(ValidationError):
            Answer.model_validate(wrong)
