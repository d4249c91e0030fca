"""What the rules come to for the calls of real tools."""

import json
from typing import Any

import pytest

from replan.state.approval import parse_rule
from replan.state.context import Context
from replan.state.settings import settings
from replan.state.task import Action
from replan.tools.policy import Policy, path_forms, policy_of
from replan.tools.protocol import Tool
from replan.tools.toolbox import Toolbox, default_tools
from replan.tools.workspace import Workspace


def policy(*rules: str) -> Policy:
    return Policy(tuple(parse_rule(rule) for rule in rules))


async def effect(workspace: Workspace, rules: list[str], tool: str, **args: Any) -> str:
    toolbox = Toolbox(workspace, policy=policy(*rules))
    # `get` and `decide` without whether the tool can be used here.
    action = Action(tool=tool, args=args)
    return toolbox.policy.decide(action, toolbox.get(tool), workspace).effect


@pytest.mark.parametrize("tool", default_tools(), ids=lambda tool: tool.name)
def test_every_tool_says_what_rules_are_matched_against(tool: Tool) -> None:
    subject = getattr(tool, "subject", None)
    assert hasattr(tool, "subjects") or subject in tool.parameters["properties"]


async def test_deny_before_ask_before_allow_wherever_they_stand(workspace: Workspace) -> None:
    rules = ["allow:write_file(*)", "ask:write_file(*.md)", "deny:write_file(secret*)"]
    for order in (rules, rules[::-1]):
        assert await effect(workspace, order, "write_file", path="a.txt", text="") == "allow"
        assert await effect(workspace, order, "write_file", path="a.md", text="") == "ask"
        assert await effect(workspace, order, "write_file", path="secret.md", text="") == "deny"


async def test_without_a_rule_what_leaves_asks(workspace: Workspace) -> None:
    assert await effect(workspace, [], "python", code="1") == "allow"
    assert await effect(workspace, [], "web_search", query="x") == "ask"
    rules = ["allow:web_search(*copper*)"]
    assert await effect(workspace, rules, "web_search", query="price of copper") == "allow"
    assert await effect(workspace, rules, "web_search", query="my password is") == "ask"


@pytest.mark.parametrize(
    "path",
    [
        "secret.md",
        "./secret.md",
        "a/../secret.md",
        "a//..//secret.md",
        "missing/../secret.md",
        "link.md",
        "up/secret.md",
        "a/up/up.md",
        "{workspace}/secret.md",
    ],
)
async def test_no_way_of_writing_a_path_slips_through(workspace: Workspace, path: str) -> None:
    (workspace.path / "a").mkdir()
    (workspace.path / "secret.md").write_text("secret")
    (workspace.path / "link.md").symlink_to("secret.md")
    (workspace.path / "up").symlink_to(".")
    (workspace.path / "a" / "up").symlink_to("..")
    (workspace.path / "up.md").symlink_to("link.md")
    path = path.format(workspace=workspace.path)
    # The file is really reached in this way: that is the attack.
    open_to_all = Toolbox(workspace, policy=policy("allow:*"))
    assert (await open_to_all.call(Action(tool="read_file", args={"path": path}))).text == "secret"
    guarded = Toolbox(workspace, policy=policy("allow:*", "deny:read_file(secret.md)"))
    seen = await guarded.call(Action(tool="read_file", args={"path": path}))
    assert (seen.ok, seen.reason) == (False, "denied")
    assert "secret.md" in seen.error
    assert seen.text == ""


async def test_an_allowed_name_does_not_allow_what_it_leads_to(workspace: Workspace) -> None:
    (workspace.path / "secret.md").write_text("secret")
    (workspace.path / "open.txt").symlink_to("secret.md")
    rules = ["ask:read_file(*.md)", "allow:read_file(*.txt)"]
    assert await effect(workspace, rules, "read_file", path="open.txt") == "ask"


async def test_a_path_that_leads_out_is_for_the_tool_to_refuse(workspace: Workspace) -> None:
    assert path_forms("../x", workspace) == ["../x"]
    assert path_forms("", workspace) == ["."]
    toolbox = Toolbox(workspace, policy=policy("allow:read_file(*)"))
    seen = await toolbox.call(Action(tool="read_file", args={"path": "../x"}))
    assert "outside the workspace" in seen.error


@pytest.mark.parametrize(
    ("files", "to", "denied"),
    [
        (["secret/a.txt"], "other", True),
        (["secret/*.txt"], "other", True),
        (["*"], "other", False),
        (["secret"], "other", True),
        (["b.txt"], "secret", True),
        (["b.txt"], "secret/c.txt", True),
        (["b.txt"], "other/../secret/c.txt", True),
        (["b.txt"], "other", False),
    ],
)
async def test_moves_are_judged_by_each_file_at_both_ends(
    workspace: Workspace, files: list[str], to: str, denied: bool
) -> None:
    (workspace.path / "secret").mkdir()
    for path in ("secret/a.txt", "b.txt"):
        (workspace.path / path).write_text("x")
    toolbox = Toolbox(workspace, policy=policy("deny:move_files(secret/*)"))
    moves = [{"files": files, "to": to}]
    seen = await toolbox.call(Action(tool="move_files", args={"moves": moves}))
    assert (seen.reason == "denied") is denied, seen.error
    assert (workspace.path / "secret" / "a.txt").exists()


class Own:
    """A tool of one's own that says nothing of rules."""

    name = "own"
    description = "does nothing"
    parameters: dict[str, Any] = {"type": "object"}  # noqa: RUF012
    content = None
    content_language = ""

    def unavailable(self) -> str:
        return ""

    async def call(self, args: dict[str, Any], context: Any) -> Any:
        raise AssertionError("called")


def test_a_tool_that_says_nothing_is_matched_by_all_its_arguments(workspace: Workspace) -> None:
    action = Action(tool="own", args={"b": "é", "a": 1})
    rule = f"deny:own({json.dumps({'a': 1, 'b': 'é'}, ensure_ascii=False)})"
    assert policy(rule).decide(action, Own(), workspace).effect == "deny"
    assert policy("deny:own(*é*)").decide(action, Own(), workspace).effect == "deny"
    assert policy("deny:own(*x*)").decide(action, Own(), workspace).effect == "allow"


async def test_ask_is_a_refusal_where_nobody_agreed(workspace: Workspace) -> None:
    action = Action(tool="write_file", args={"path": "a", "text": "x"})
    rules = policy("ask:write_file")
    refused = await Toolbox(workspace, policy=rules).call(action)
    assert (refused.ok, refused.reason) == (False, "ask")
    assert not (workspace.path / "a").exists()
    agreed = Toolbox(workspace, policy=rules, approved=action)
    other = action.model_copy(update={"args": {"path": "b", "text": "x"}})
    assert (await agreed.call(other)).reason == "ask"
    assert (await agreed.call(action)).ok
    denied = Toolbox(workspace, policy=policy("deny:write_file"), approved=action)
    assert (await denied.call(action)).reason == "denied"


def test_a_run_adds_to_the_rules_of_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REPLAN_APPROVALS", '{"ask": ["python(*)"]}')
    settings.cache_clear()
    rules = policy_of(Context(approvals=["allow:python(*)"])).rules
    settings.cache_clear()
    assert [str(rule) for rule in rules] == ["ask:python(*)", "allow:python(*)"]


async def test_a_search_shows_no_line_of_a_file_that_is_denied(workspace: Workspace) -> None:
    (workspace.path / "secret").mkdir()
    (workspace.path / "secret" / "key.txt").write_text("4711")
    (workspace.path / "open.txt").write_text("4712")
    rules = ["deny:*(secret/*)"]
    for files in ("*", "*.txt", "key*", "secret/", "secret/*", "./secret/key.txt", "**/key.txt"):
        assert await effect(workspace, rules, "search_files", files=files, text="47") == "deny"
    assert await effect(workspace, rules, "search_files", files="open*", text="47") == "allow"
    assert await effect(workspace, rules, "search_files", files="*.txt", text="") == "allow"
