"""The options of `replan tools` and `replan tool`."""

from pathlib import Path
from typing import Annotated

import typer

from replan.cli.options import AsJson, Rules, Sandbox


def tools(
    rules: Rules = None,
    as_json: AsJson = False,
) -> None:
    """List the tools, those of MCP servers too: arguments, policy, and what is not available."""
    from replan.cli.tools import show_tools

    raise typer.Exit(show_tools(rules or [], as_json))


def tool(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The tool.")],
    arguments: Annotated[
        str, typer.Argument(metavar="JSON", help="Its arguments, as one JSON object; - reads it.")
    ] = "{}",
    workspace: Annotated[
        Path, typer.Option(help="Folder to work in; default: the current one.")
    ] = Path(),
    sandbox: Sandbox = None,
    rules: Rules = None,
    seconds: Annotated[float, typer.Option(min=1, help="Time it may take.")] = 60.0,
) -> None:
    """Make one tool call by hand, and print what the agent would observe, as JSON."""
    from replan.cli.tools import call_tool

    given = {"sandbox": sandbox, "approvals": rules or None}
    given = {field: value for field, value in given.items() if value is not None}
    raise typer.Exit(call_tool(name, arguments, workspace, given, seconds))
