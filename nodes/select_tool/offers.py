"""Which tools are offered for a task, and with which arguments: only what makes sense now."""

import re
from collections.abc import Mapping
from typing import Any

from replan.models.schemas import strict_object
from replan.nodes.contract import SelectToolRequest
from replan.nodes.groups import told_of_one_form
from replan.nodes.left_to_change import left_to_change
from replan.nodes.look_ups import in_vain
from replan.nodes.named_files import (
    files_meant,
    is_test_file,
    named_files,
)
from replan.nodes.select_tool.computing import (
    BINARY,
    goes_over_files,
    is_data,
    must_compute,
    tells_facts,
    writes_data,
)
from replan.nodes.select_tool.mending import (
    edit_schema,
    is_mending,
    left_to_write,
    makes_wrong,
    runs_code,
    runs_script,
    writable_code,
)
from replan.nodes.survey import CODE, TEXT, shows_whole
from replan.state.task import Action
from replan.tools.delete import speaks_of_deleting
from replan.tools.named_addresses import names_address
from replan.tools.protocol import Tool
from replan.tools.toolbox import Toolbox

_LISTED = 40
# Which of more files than these meet a condition is for a script to find out: named one by one in
# a call they take minutes, and some are forgotten.
_FEW = 8
_MOST_READ = 5
_SHORT = 3000
_CONDITION = re.compile(
    r"\b(?:whose|before|after|older|newer|larger|smaller|bigger|longer|shorter|more than|less than|"
    r"at least|at most|contain(?:s|ing)?|hold(?:s|ing)?|identical|duplicates?|same content|empty)\b"
    r"|大于|小于|多于|少于|早于|晚于|之前|之后|包含|含有|重复|相同",
    re.IGNORECASE,
)


def offered(request: SelectToolRequest, tools: Toolbox, sources: Mapping[str, str]) -> list[Tool]:
    """Tools that are available, have something to work on, and can bring the task further.

    Args:
        request: the task and what was tried.
        tools: what there is.
        sources: the files that can be edited, with their text.

    The rules stand for what a small model does not see by itself: that a file it has seen the
    first lines of cannot be summed up by hand, that source code is written and not computed,
    and that what stands before its eyes need not be read.
    """
    writes_code = is_code_task(request)
    mends = is_mending(request) and bool(sources)
    facts = tells_facts(request)
    computes = must_compute(request)
    tried = request.task.tries > 0
    # A long text comes back shorter.
    short = all(len(text) <= _SHORT for text in sources.values())
    anew = mends and short and request.task.tries % 2 == 1
    sifts = len(request.existing) > _FEW and bool(_CONDITION.search(request.task.title))
    fits = {
        "python": not writes_code and not facts and not _only_documents(request),
        "code_action": False,  # of who acts by code
        "query_tables": False,  # the embedded model is asked for a query before, see `table_query`
        # Code is mended by the line; when that has failed, it is written anew, in turns.
        "write_file": (not mends or anew) and (writes_code or not computes),
        "edit_file": bool(sources) and not anew and not (short and makes_wrong(request.task)),
        "move_files": not request.task.writes
        and bool(request.existing)
        and not writes_code
        and not sifts,
        "read_file": bool(_readable(request))
        and not mends
        and not facts
        and (tried or not writes_data(request)),
        "list_files": len(request.existing) > _LISTED,
        "search_files": len(request.existing) > _LISTED,
        "delete_file": not request.task.writes
        and bool(_deletable(request))
        and not sifts
        and speaks_of_deleting(f"{request.task.title}\n{request.brief.goal}"),
        "run_script": bool(_runnable(request)) and not writes_code,
        # The checks run the tests after every call and show what fails.
        "run_tests": any(is_test_file(path) for path in request.existing)
        and not any(check.kind == "tests_pass" for check in request.task.checks),
        "read_page": not writes_code and _sees_address(request),
        "search_documents": not writes_code,
    }
    found = [tool for tool in tools.available() if fits.get(tool.name, True)]
    vain = in_vain(request.task)
    return [tool for tool in found if tool.name != vain] or found


def unread_of_meant(request: SelectToolRequest) -> list[str]:
    """The few files that the words of the task mean and that were neither shown nor read."""
    task = request.task
    if tells_facts(request):
        return []
    meant = [
        path
        for path in files_meant(task.title, request.existing)
        if path not in task.writes and path.endswith(TEXT)
    ]
    unread = set(_unread(request))
    return [path for path in meant if path in unread] if len(meant) <= _MOST_READ else []


def _only_documents(request: SelectToolRequest) -> bool:
    """Whether all there is to go by are passages of documents, which no script can open."""
    made = [one.action.tool for one in request.task.attempts]
    found = any(one.startswith("search_documents ") for one in request.task.found)
    return ("search_documents" in made or found) and not set(request.existing) - set(
        request.task.writes
    )


def _sees_address(request: SelectToolRequest) -> bool:
    """Whether the goal, the task, or what a tool brought, earlier or now, names an address."""
    seen = [attempt.observation.text for attempt in request.task.attempts]
    said = (request.brief.goal, request.task.title, *request.earlier, *seen)
    return any(map(names_address, said))


def is_code_task(request: SelectToolRequest) -> bool:
    """Whether the task's result is source code: tests have to pass, or only code is written."""
    task = request.task
    if runs_code(task):
        return True
    return bool(task.writes) and all(path.endswith(CODE) for path in task.writes)


def call_schemas(
    tools: list[Tool], request: SelectToolRequest, sources: Mapping[str, str]
) -> list[dict[str, Any]]:
    """The schemas of all calls that can be made now."""
    calls = []
    for tool in tools:
        if tool.name == "edit_file":
            left = _left_to_change(request) or sources
            calls += [edit_schema(path, text) for path, text in sources.items() if path in left]
        else:
            calls.append(call_schema(tool, request))
    if rest := read_on(request):
        calls.append(_exactly(rest))
    return calls


def read_on(request: SelectToolRequest) -> Action | None:
    """The call that shows what follows what was read last, if that was not all."""
    attempts = request.task.attempts
    return attempts[-1].observation.rest if attempts else None


def _exactly(action: Action) -> dict[str, Any]:
    args = {name: {"const": value} for name, value in action.args.items()}
    return strict_object({"tool": {"const": action.tool}, **args})


def call_schema(tool: Tool, request: SelectToolRequest) -> dict[str, Any]:
    """The schema of one call, without the long argument, which is asked for alone."""
    properties: dict[str, Any] = {"tool": {"const": tool.name}}
    for name, schema in tool.parameters["properties"].items():
        if name == tool.content or name not in tool.parameters.get("required", []):
            continue
        properties[name] = _narrowed(tool.name, name, schema, request)
    return strict_object(properties)


def _narrowed(
    tool: str, argument: str, schema: dict[str, Any], request: SelectToolRequest
) -> dict[str, Any]:
    """A path that must exist is an enumeration, so that it cannot be misspelled."""
    if argument != "path":
        return {**schema, "maxLength": 300} if schema.get("type") == "string" else schema
    paths = list(request.existing)
    if tool == "read_file":
        paths = _readable(request)
    elif tool == "run_script":
        paths = _runnable(request)
    elif tool == "delete_file":
        paths = _deletable(request)
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
    code = writable_code(request)
    mends = runs_code(task)
    if runs_script(task):
        own = [path for path in task.writes if path.endswith(CODE)]
        return list(dict.fromkeys([*own, *code, *left_to_write(task)]))
    if left := _left_to_change(request):
        return left
    if not task.writes:
        return code if is_mending(request) else []  # a module is missing: it may have any name
    return list(dict.fromkeys([*task.writes, *code])) if mends and task.attempts else task.writes


def _left_to_change(request: SelectToolRequest) -> list[str]:
    """What is next of several files to change, when all went well so far."""
    attempts = request.task.attempts
    if not attempts or attempts[-1].verdict != "continue" or request.task.failing:
        return []
    return left_to_change(request.task, request.existing, (), request.task.evidence)


def _deletable(request: SelectToolRequest) -> list[str]:
    return [path for path in request.existing if path not in request.protected]


def asks_for_source(tools: list[Tool], request: SelectToolRequest) -> bool:
    """Whether a file is to be written, and both by a script and by hand it could be."""
    names = {tool.name for tool in tools}
    return bool(request.task.writes) and {"python", "write_file"} <= names


def only_call(tools: list[Tool], request: SelectToolRequest) -> dict[str, Any] | None:
    """The one call that the offers leave, or None when there is a choice to make."""
    if len(tools) != 1 or read_on(request):
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
    # Of attempts only the latest are kept.
    read |= {one.split(": ", 1)[0].removeprefix("read_file ") for one in request.task.found}
    changed = {path for attempt in request.task.attempts for path in attempt.observation.changed}
    # What the task itself has made it is told of by its checks.
    read |= changed & set(request.task.writes)
    return [
        path
        for path in request.existing
        if path not in read
        and not is_data(path, survey)
        and not path.endswith(BINARY)
        and (path in changed or not shows_whole(survey, path))
    ]


def _readable(request: SelectToolRequest) -> list[str]:
    """The files worth a call of their own: of those of one form, only what the task means."""
    unread = _unread(request)
    if not goes_over_files(request):
        return unread
    alike = set(told_of_one_form(request.brief.survey, unread))
    alike -= set(files_meant(request.task.title, request.existing))
    return [path for path in unread if path not in alike]


def _runnable(request: SelectToolRequest) -> list[str]:
    """The scripts worth running: all where the goal speaks of that, else those that it names or
    that the task has written; and none whose very run was asked for once more, unless anything has
    changed since.
    """
    task = request.task
    said = f"{task.title}\n{request.brief.goal}"
    scripts = [path for path in request.existing if _is_script(path)]
    if not _RUNS.search(said):
        written = {path for one in task.attempts for path in one.observation.changed}
        meant = {*named_files(said, request.existing), *task.writes, *written}
        scripts = [path for path in scripts if path in meant]
    vain: set[str] = set()
    for one in task.attempts:
        if one.observation.changed:
            vain.clear()
        elif one.action.tool == "run_script" and one.observation.repeated:
            vain.add(str(one.action.args.get("path")))
    return [path for path in scripts if path not in vain]


_RUNS = re.compile(
    r"\b(?:runs?|running|ran|executed?|executes|executing|start\w*|launch\w*|invoke\w*|scripts?|"
    r"converters?|utilit(?:y|ies)|programs?|crash\w*|outputs?|prints?)\b|运行|执行|启动|脚本|程序|报错|输出",
    re.IGNORECASE,
)


def _is_script(path: str) -> bool:
    return path.endswith(".py") and not is_test_file(path)
