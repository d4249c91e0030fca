"""Does a module's function give what the goal says it gives? Called in the sandbox."""

import json
from collections.abc import Sequence

from replan.state.task import Check
from replan.tools.failure import shorten
from replan.tools.sandbox.protocol import PYTHON, SCRATCH, Confinement, Finished, Job
from replan.tools.sandbox.session import run_confined
from replan.tools.workspace import Workspace

_SECONDS = 20.0
_SCRIPT = "examples.py"
_TOLD = "told.json"
_SAID = 300
# Names are looked up in the module. What the call prints is none of our business.
_CALLS = """\
import contextlib, importlib.util, io, json, sys

path, told, calls = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
found = importlib.util.spec_from_file_location("asked", path)
module = importlib.util.module_from_spec(found)
sys.modules["asked"] = module
results = []
with contextlib.redirect_stdout(io.StringIO()):
    found.loader.exec_module(module)
    for call in calls:
        expression, raises, error = call.partition(" raises ")
        try:
            if raises:
                given = eval(expression, vars(module))
                results.append(f"it gives {given!r:.200}")
                continue
            expression, _, value = expression.rpartition(" == ")
            given, wanted = eval(expression, vars(module)), eval(value, {})
            results.append("" if given == wanted else f"it gives {given!r:.200}")
        except Exception as caught:
            kinds = [kind.__name__ for kind in type(caught).__mro__]
            said = f"it raises {type(caught).__name__}: {caught}"
            results.append("" if raises and error in kinds else said)
with open(told, "w", encoding="utf-8") as file:
    json.dump(results, file)
"""


async def wrong_calls(
    checks: Sequence[Check], workspace: Workspace, confinement: Confinement | None
) -> list[str]:
    """What is wrong with each, "" where nothing is; all of them have the same path.

    Raises:
        ToolError: the path leads out of the workspace, or no sandbox can be used.
    """
    path = workspace.confine(checks[0].path)
    calls = json.dumps([check.text for check in checks])
    job = Job(
        command=(PYTHON, f"{SCRATCH}/{_SCRIPT}", str(path), f"{SCRATCH}/{_TOLD}", calls),
        cwd=workspace.path,
        files={_SCRIPT: _CALLS},
        collect=_TOLD,
        environment={"PYTHONPATH": str(workspace.path)},
    )
    finished = await run_confined(job, confinement, _SECONDS)
    return _told(finished, len(checks), str(workspace.path))


def _told(finished: Finished, count: int, place: str) -> list[str]:
    try:
        told = json.loads(finished.collected or "")
    except ValueError:
        told = None
    if isinstance(told, list) and len(told) == count:
        return [str(one)[:_SAID] for one in told]
    said = shorten(finished.stderr, finished.scratch, place).strip().splitlines()
    why = said[-1][:_SAID] if said else finished.how()
    return [f"it cannot be called: {why}"] * count
