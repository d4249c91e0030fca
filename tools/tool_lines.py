"""The tools as a prompt tells of them, a line each."""

from collections.abc import Iterable

from replan.tools.protocol import Tool


def told_of(tools: Iterable[Tool], goal: str) -> list[Tool]:
    """Those that the prompt names: most, even where they cannot be used."""
    return [tool for tool in tools if not hasattr(tool, "told_of") or tool.told_of(goal)]


def line_of(tool: Tool) -> str:
    """How it is called, what it does, and why it cannot be used, if so."""
    args = ", ".join(tool.parameters.get("properties", {}))
    line = f"- {tool.name}({args}): {tool.description}"
    why = tool.unavailable()
    return f"{line} (not available: {why})" if why else line
