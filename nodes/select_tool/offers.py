"""Which tools are offered for a task, and with which arguments: only what makes sense now."""

from typing import Any

from replan.nodes.contract import SelectToolRequest
from replan.nodes.named_files import is_test_file
from replan.tools.protocol import Tool
from replan.tools.toolbox import Toolbox

_LISTED = 40
_TABLES = (".csv", ".tsv", ".log", ".jsonl")


def offered(request: SelectToolRequest, tools: Toolbox) -> list[Tool]:
    """Tools that are available, have something to work on, and would show something new."""
    exists = {
        "read_file": bool(_unread(request)),
        "list_files": len(request.existing) > _LISTED,
        "run_script": any(_is_script(path) for path in request.existing),
        "run_tests": any(is_test_file(path) for path in request.existing),
    }
    return [tool for tool in tools.available() if exists.get(tool.name, True)]


def call_schema(tool: Tool, request: SelectToolRequest) -> dict[str, Any]:
    """The schema of one call, without the long argument, which is asked for alone."""
    properties: dict[str, Any] = {"tool": {"const": tool.name}}
    required = ["tool"]
    for name, schema in tool.parameters["properties"].items():
        if name == tool.content or name not in tool.parameters.get("required", []):
            continue
        properties[name] = _narrowed(tool.name, name, schema, request)
        required.append(name)
    return {
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


def _narrowed(
    tool: str, argument: str, schema: dict[str, Any], request: SelectToolRequest
) -> dict[str, Any]:
    """A path that must exist is an enumeration, so that it cannot be misspelled."""
    if argument != "path":
        return {**schema, "maxLength": 300} if schema.get("type") == "string" else schema
    paths = list(request.existing)
    if tool == "read_file":
        paths = _unread(request)
    elif tool == "run_script":
        paths = [path for path in paths if _is_script(path)]
    elif tool == "write_file":
        free = {"type": "string", "minLength": 1, "maxLength": 120}
        return {"enum": request.task.writes} if request.task.writes else free
    else:
        return schema
    if 0 < len(paths) <= _LISTED:
        return {"enum": paths}
    return {"type": "string", "minLength": 1, "maxLength": 200}


def _unread(request: SelectToolRequest) -> list[str]:
    """Files worth reading: not those the prompt shows already, nor tables, which are for code.

    Left to itself a small model begins every task by reading what stands before its eyes.
    """
    survey = request.brief.survey
    read = {
        attempt.action.args.get("path")
        for attempt in request.task.attempts
        if attempt.action.tool == "read_file"
    }
    changed = {path for attempt in request.task.attempts for path in attempt.observation.changed}
    return [
        path
        for path in request.existing
        if path not in read
        and not (path.endswith(_TABLES) and f"\n{path} begins:" in survey)
        and (path in changed or f"\n{path} holds:" not in survey)
    ]


def _is_script(path: str) -> bool:
    return path.endswith(".py") and not is_test_file(path)
