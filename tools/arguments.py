"""Holds the arguments of a call against its tool's schema."""

from typing import Any

from replan.tools.bounds import clipped
from replan.tools.protocol import Tool, ToolError


def validate(tool: Tool, args: dict[str, Any]) -> None:
    """Nothing, when the arguments fit. Blocking: the first import of jsonschema reads from disk.

    Raises:
        ToolError: they do not fit; the message says where.
    """
    from jsonschema import Draft202012Validator
    from referencing import Registry

    # With an empty registry a schema from outside cannot make us fetch what it refers to.
    checker = Draft202012Validator(tool.parameters, registry=Registry())
    errors = sorted(checker.iter_errors(args), key=str)
    if errors:
        said = "; ".join(_fault(error.json_path, error.message) for error in errors[:3])
        raise ToolError(f"wrong arguments for {tool.name}: {said}.", _usage(tool))


def _fault(path: str, message: str) -> str:
    place = path.removeprefix("$").removeprefix(".")
    return clipped(f"{place}: {message}" if place else message, 200)


def _usage(tool: Tool) -> str:
    required = tool.parameters.get("required", [])
    names = [
        name if name in required else f"{name} (optional)"
        for name in tool.parameters.get("properties", {})
    ]
    return f"Its arguments: {', '.join(names) or 'none'}."
