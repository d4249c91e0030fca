"""`replan tools` and `replan tool`: what the agent may do, and doing one thing of it by hand."""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from replan.cli.printable import json_line, visible
from replan.cli.settle import at_the_edge, context_from
from replan.models.embeddings import choose_embedder
from replan.state.context import Context
from replan.state.errors import UsageError
from replan.state.settings import settings
from replan.state.task import Action, Observation
from replan.tools.documents.search_documents import SearchDocuments
from replan.tools.mcp import close_servers, mcp_tools
from replan.tools.policy import policy_of
from replan.tools.protocol import ToolError
from replan.tools.sandbox.protocol import Confinement
from replan.tools.toolbox import Toolbox, default_tools
from replan.tools.workspace import Workspace, open_workspace

_BY_HAND = "by hand"
_SHOWN = ("ok", "text", "error", "reason", "changed", "seconds")
_MOST_READ = 20_000_000
FROM_STANDARD_INPUT = "-"


def show_tools(rules: Sequence[str], as_json: bool) -> int:
    """Print the tools. Returns the exit code."""

    def command() -> int:
        listed = asyncio.run(_listed(context_from({"approvals": list(rules)})))
        if as_json:
            print(json_line(listed))
        else:
            for one in listed:
                _print(one)
        return 0

    return at_the_edge(command)


def call_tool(
    name: str, arguments: str, workspace: Path, given: dict[str, Any], seconds: float
) -> int:
    """Make one call and print the observation as JSON. Returns the exit code.

    Args:
        name: the tool.
        arguments: a JSON object; `-` reads it from standard input.
        workspace: an existing folder.
        given: fields of the context.
        seconds: time the call may take.
    """

    def command() -> int:
        from replan.cli.approval import json_object

        context = context_from(given)
        text = arguments
        if arguments == FROM_STANDARD_INPUT:
            text = sys.stdin.buffer.read(_MOST_READ).decode("utf-8", "replace")
        action = Action(tool=name, args=json_object(text, "JSON"))
        where = open_workspace(workspace, create=False)
        seen = asyncio.run(_called(action, where, context, seconds))
        shown = seen.model_dump(include=set(_SHOWN))
        print(json_line({key: shown[key] for key in _SHOWN}))
        return 0 if seen.ok else 1

    return at_the_edge(command)


async def _listed(context: Context) -> list[dict[str, Any]]:
    """Every tool with its schema, the policy about it, and why it is not available, if so."""
    try:
        policy = policy_of(context)
        documents = SearchDocuments(context.documents, choose_embedder)
        tools = [
            *default_tools(documents),
            *await mcp_tools(settings().replan_mcp.servers, _BY_HAND),
        ]
        return [
            {
                "name": tool.name,
                "description": tool.description,
                "parameters": tool.parameters,
                "policy": policy.for_tool(tool.name, tool),
                "available": not (why := tool.unavailable()),
                "why_not": why,
            }
            for tool in tools
        ]
    finally:
        await close_servers()


def _print(tool: dict[str, Any]) -> None:
    args = ", ".join(tool["parameters"].get("properties", {}))
    print(visible(f"{tool['name']}({args}): {tool['description']}"))
    print(visible(f"    policy: {tool['policy']}"))
    if not tool["available"]:
        print(visible(f"    not available: {tool['why_not']}"))


async def _called(
    action: Action, workspace: Workspace, context: Context, seconds: float
) -> Observation:
    """The observation of a call that went through the policy, asking at a terminal.

    Raises:
        UsageError: there is no such tool.
    """
    try:
        policy = policy_of(context)
        documents = SearchDocuments(context.documents, choose_embedder)
        outside = await mcp_tools(settings().replan_mcp.servers, _BY_HAND)
        tools = [*default_tools(documents), *outside]
        toolbox = Toolbox(
            workspace, seconds, tools, confinement=Confinement.of(context), policy=policy
        )
        try:
            toolbox.get(action.tool)
        except ToolError as error:
            raise UsageError(error.what, "`replan tools` lists what there is.") from error
        seen = await toolbox.call(action)
        if seen.reason == "ask":
            return await _asked(action, toolbox, seen)
        return seen
    finally:
        await close_servers()


async def _asked(action: Action, toolbox: Toolbox, refused: Observation) -> Observation:
    """Ask the person at the terminal; elsewhere the call stays refused."""
    from replan.cli.approval import ask_one, can_ask

    if not can_ask():
        return refused
    decision = await toolbox.decide(action)
    answer = ask_one({"tool": action.tool, "args": action.args, "why": decision.why})
    if answer.decision == "reject":
        why = f": {answer.reason}" if answer.reason else ""
        return Observation(ok=False, reason="rejected", error=f"rejected at the terminal{why}")
    if answer.decision == "edit":
        action = action.model_copy(update={"args": answer.args or {}})
    return await toolbox.agreed_to(action).call(action)
