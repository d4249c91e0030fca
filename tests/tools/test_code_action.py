"""Code whose functions are the other tools: what it gets, what is refused, what it is told."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from replan.state.approval import parse_rule
from replan.state.task import Action, Observation
from replan.tools.code_action import function_name, functions
from replan.tools.policy import Policy
from replan.tools.protocol import CallContext, Tool, schema
from replan.tools.sandbox.protocol import Confinement
from replan.tools.toolbox import Toolbox, default_tools
from replan.tools.workspace import Workspace

SANDBOXES = ("bubblewrap", "landlock")


class Ticket:
    """A user's own tool, which must not be called twice for the same."""

    name = "ticket"
    description = "opens a ticket"
    parameters = schema(["title"], title={"type": "string"}, weight={"type": "integer"})
    content = None
    content_language = ""
    subject = "title"

    def __init__(self, leaves: bool = False) -> None:
        self.leaves = leaves
        self.opened: list[Any] = []
        self.ids: list[str] = []

    def unavailable(self) -> str:
        return ""

    async def call(self, args: dict[str, Any], context: CallContext) -> Observation:
        self.opened.append(args)
        self.ids.append(context.call_id)
        if args["title"] == "slow":
            await asyncio.sleep(60)
        if args["title"] == "large":
            return Observation(ok=True, text="x" * 100_000)
        return Observation(ok=True, text=f"ticket {len(self.opened)}")


@pytest.fixture
def ticket() -> Ticket:
    return Ticket()


async def run(
    workspace: Workspace,
    code: str,
    *more: Tool,
    rules: Sequence[str] = (),
    sandbox: str = "auto",
    **how: Any,
) -> Observation:
    toolbox = Toolbox(
        workspace,
        seconds_per_call=20,
        tools=[*default_tools(), *more],
        policy=Policy(tuple(map(parse_rule, rules))),
        confinement=Confinement(sandbox),
    )
    return await toolbox.call(Action(tool="code_action", args={"code": code}), **how)


@pytest.mark.parametrize("sandbox", SANDBOXES)
async def test_tools_are_functions_in_it(
    workspace: Workspace, ticket: Ticket, sandbox: str
) -> None:
    await workspace.write_text("a.txt", "1\n2\n3\n")
    code = (
        "text = read_file(path='a.txt')\n"
        "total = sum(int(line) for line in text.split())\n"
        "for title in ('one', 'two'):\n"
        "    print(ticket(title, weight=total))\n"
        "write_file('b.txt', str(total))\n"
        "open('c.txt', 'w').write(open('b.txt').read())"
    )
    seen = await run(workspace, code, ticket, sandbox=sandbox)
    assert seen.ok, seen.error
    assert seen.text.startswith("ticket 1\nticket 2\n")
    assert seen.text.endswith("Tools that were called, 4 times: read_file, ticket, write_file")
    assert (seen.calls, seen.changed, seen.exit_code) == (4, ["b.txt", "c.txt"], 0)
    assert ticket.opened == [{"title": "one", "weight": 6}, {"title": "two", "weight": 6}]
    assert await workspace.read_text("c.txt", 9) == "6"


async def test_what_fails_is_raised_and_can_be_caught(workspace: Workspace, ticket: Ticket) -> None:
    code = (
        "for call in (\n"
        "    lambda: read_file(path='none.txt'),\n"
        "    lambda: ticket(),\n"
        "    lambda: ticket('a', 1, 2),\n"
        "    lambda: ticket('a', title='b'),\n"
        "    lambda: ticket(title={1, 2}),\n"
        "    lambda: ticket(title=3),\n"
        "):\n"
        "    try:\n"
        "        call()\n"
        "    except (ToolError, TypeError) as error:\n"
        "        print(type(error).__name__, error)\n"
        "read_file('gone.txt')"
    )
    seen = await run(workspace, code, ticket)
    lines = seen.text.splitlines()
    assert lines[0] == "ToolError none.txt does not exist."
    assert lines[1].startswith("ToolError wrong arguments for ticket: 'title' is a required")
    assert lines[2] == "TypeError ticket() takes 2 arguments: title, weight"
    assert lines[3] == "TypeError ticket() got 'title' twice"
    assert lines[4].startswith("TypeError ticket takes texts, numbers, lists and dicts: ")
    assert lines[5].startswith("ToolError wrong arguments for ticket: title: 3 is not of type")
    assert not seen.ok
    assert "gone.txt does not exist. (script.py line 13: read_file('gone.txt'))" in seen.error
    assert ticket.opened == []


async def test_the_policy_holds_for_each_call(workspace: Workspace) -> None:
    outside = Ticket(leaves=True)
    code = (
        "for call in (lambda: write_file('secret.md', 'x'), lambda: ticket('a'),\n"
        "             lambda: ticket('b'), lambda: write_file('../c.txt', 'x')):\n"
        "    try:\n"
        "        print(call())\n"
        "    except ToolError as error:\n"
        "        print(error)\n"
    )
    rules = ["deny:write_file(*.md)", "allow:ticket(b)"]
    lines = (await run(workspace, code, outside, rules=rules)).text.splitlines()
    assert lines[0].startswith("this call is denied by the rule deny:write_file(*.md).")
    assert lines[1] == (
        "a person has to agree to this call (ticket reaches beyond workspace and sandbox), and is "
        "not asked while code runs. Give a script that is the call of ticket and nothing else."
    )
    assert lines[2] == "ticket 1"
    assert "outside the workspace" in lines[3] or "leads out" in lines[3], lines[3]
    assert outside.opened == [{"title": "b"}]
    assert await workspace.files() == []


@pytest.mark.parametrize("rule", ["deny:python(*)", "ask:python(*ticket*)", "deny:code_action"])
async def test_who_ruled_about_code_ruled_about_this(
    workspace: Workspace, ticket: Ticket, rule: str
) -> None:
    seen = await run(workspace, "ticket('a')", ticket, rules=[rule])
    assert seen.reason == rule.partition(":")[0].replace("deny", "denied")
    assert ticket.opened == []


async def test_protected_files_are_put_back_after_each_call(workspace: Workspace) -> None:
    await workspace.write_text("kept.txt", "as it was")
    await workspace.write_text("spoil.py", "open('kept.txt', 'w').write('spoilt')")
    code = (
        "open('kept.txt', 'w').write('half spoilt')\n"
        "run_script('spoil.py')\n"
        "print(open('kept.txt').read())\n"
        "write_file('kept.txt', 'other')"
    )
    seen = await run(workspace, code, protected=["kept.txt"])
    assert seen.text.startswith("half spoilt\n")
    assert seen.error.startswith("ToolError: kept.txt must not")
    assert await workspace.read_text("kept.txt", 99) == "as it was"


async def test_code_cannot_run_code_but_may_run_scripts_and_tests(workspace: Workspace) -> None:
    await workspace.write_text("test_a.py", "def test_a(): pass")
    code = "print(run_tests())\nprint('python' in dir(__builtins__), 'code_action' in globals())"
    seen = await run(workspace, code)
    assert seen.ok, seen.error
    assert "1 passed" in seen.text
    assert "False False" in seen.text


async def test_calls_are_bounded_in_number_and_time(workspace: Workspace, ticket: Ticket) -> None:
    code = "for n in range(100):\n    try:\n        ticket(str(n))\n    except ToolError as error:\n        print(error)"  # noqa: E501
    seen = await run(workspace, code, ticket, calls=3)
    assert len(ticket.opened) == seen.calls == 3
    assert seen.text.startswith("no more than 3 calls may be made by code here\ntools cannot be")
    assert "The code could call no more tools: no more than 3 calls may be made" in seen.text
    slow = await run(workspace, "ticket('slow')", ticket, seconds=1.5)
    assert not slow.ok
    assert slow.seconds < 15
    assert "time" in slow.error


async def test_it_sees_more_than_a_model_is_shown(workspace: Workspace, ticket: Ticket) -> None:
    seen = await run(workspace, "print(len(ticket('large')))", ticket)
    assert seen.text.startswith("100000\n")


async def test_a_syntax_error_costs_nothing(workspace: Workspace, ticket: Ticket) -> None:
    seen = await run(workspace, "ticket('a'", ticket)
    assert "SyntaxError" in seen.error
    assert ticket.opened == []


async def test_modules_of_the_workspace_find_the_functions_too(
    workspace: Workspace, ticket: Ticket
) -> None:
    await workspace.write_text("mine.py", "def open_it(title):\n    return ticket(title)\n")
    seen = await run(workspace, "import mine\nprint(mine.open_it('a'))", ticket)
    assert seen.text.startswith("ticket 1\n")


async def test_plain_python_has_no_functions(workspace: Workspace, ticket: Ticket) -> None:
    toolbox = Toolbox(workspace, tools=[*default_tools(), ticket])
    seen = await toolbox.call(Action(tool="python", args={"code": "ticket('a')"}))
    assert "name 'ticket' is not defined" in seen.error


def test_names_are_those_that_python_takes() -> None:
    assert function_name("read_file") == "read_file"
    assert function_name("mcp__tickets__open-all") == "mcp__tickets__open_all"
    assert [function_name(name) for name in ("open", "class", "2do", "查")] == [
        *("tool_open", "tool_class", "tool_2do", "查")
    ]


def test_required_arguments_come_first() -> None:
    odd = Ticket()
    odd.parameters = schema(["title"], weight={"type": "integer"}, title={"type": "string"})
    [function] = functions([odd])
    assert function.arguments == ["title", "weight"]


def test_two_tools_are_two_functions() -> None:
    one, other = Ticket(), Ticket()
    one.name, other.name = "open-all", "open_all"
    assert [each.function for each in functions([one, other])] == ["open_all", "open_all_"]
