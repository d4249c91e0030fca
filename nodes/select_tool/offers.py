"""Which tools are offered for a task, and with which arguments: only what makes sense now."""

import re
from typing import Any

from replan.nodes.contract import SelectToolRequest
from replan.nodes.named_files import is_test_file
from replan.nodes.survey import CODE, DATA
from replan.tools.protocol import Tool
from replan.tools.toolbox import Toolbox

_LISTED = 40


def offered(request: SelectToolRequest, tools: Toolbox) -> list[Tool]:
    """Tools that are available, have something to work on, and can bring the task further.

    The rules stand for what a small model does not see by itself: that a file it has seen the
    first lines of cannot be summed up by hand, that source code is written and not computed,
    and that what stands before its eyes need not be read.
    """
    writes_code = is_code_task(request)
    fits = {
        "python": not writes_code,
        "write_file": writes_code or not _data_unseen(request),
        "read_file": bool(_unread(request)),
        "list_files": len(request.existing) > _LISTED,
        "run_script": any(_is_script(path) for path in request.existing) and not writes_code,
        # The checks run the tests after every call and show what fails.
        "run_tests": any(is_test_file(path) for path in request.existing)
        and not any(check.kind == "tests_pass" for check in request.task.checks),
    }
    return [tool for tool in tools.available() if fits.get(tool.name, True)]


def is_code_task(request: SelectToolRequest) -> bool:
    """Whether the task's result is source code: tests have to pass, or only code is written."""
    task = request.task
    if any(check.kind == "tests_pass" for check in task.checks):
        return True
    return bool(task.writes) and all(path.endswith(CODE) for path in task.writes)


def is_mending(request: SelectToolRequest) -> bool:
    """Whether tests fail that code is there for: the faults have to be found first."""
    seen = request.task.attempts[-1].evidence if request.task.attempts else request.task.before
    return any(
        result.check.kind == "tests_pass"
        and not result.passed
        and (not result.check.path or result.check.path in request.existing)
        for result in seen
    )


def _data_unseen(request: SelectToolRequest) -> bool:
    """Whether files are there of which the prompt shows only the beginning."""
    return any(_is_data(path, request.brief.survey) for path in request.existing)


def _is_data(path: str, survey: str) -> bool:
    return bool(re.search(rf"^{re.escape(path)} begins \(\d+ {DATA}\)", survey, re.MULTILINE))


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
        paths = _writable(request)
    else:
        return schema
    if 0 < len(paths) <= _LISTED:
        return {"enum": paths}
    return {"type": "string", "minLength": 1, "maxLength": 200}


def _writable(request: SelectToolRequest) -> list[str]:
    """The files a call may write: the task's own; where tests fail, also the code they test."""
    task = request.task
    code = [
        path
        for path in request.existing
        if path.endswith(CODE) and path not in request.protected and not is_test_file(path)
    ]
    mends = any(check.kind == "tests_pass" for check in task.checks)
    if not task.writes:
        return code if mends else []
    return list(dict.fromkeys([*task.writes, *code])) if mends and task.attempts else task.writes


def only_call(tools: list[Tool], request: SelectToolRequest) -> dict[str, Any] | None:
    """The one call that the offers leave, or None when there is a choice to make."""
    if len(tools) != 1:
        return None
    call: dict[str, Any] = {"tool": tools[0].name}
    for name, schema in call_schema(tools[0], request)["properties"].items():
        if name == "tool":
            continue
        if len(schema.get("enum", [])) != 1:
            return None
        call[name] = schema["enum"][0]
    return call


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
        and not _is_data(path, survey)
        and (path in changed or f"\n{path} holds:" not in survey)
    ]


def _is_script(path: str) -> bool:
    return path.endswith(".py") and not is_test_file(path)
