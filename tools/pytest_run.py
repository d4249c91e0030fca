"""Runs pytest in a workspace, and reports so that the failing assertions survive any bound."""

import asyncio
import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path

from replan.tools.bounds import bounded, clipped
from replan.tools.failure import shorten
from replan.tools.sandbox.protocol import PYTHON, SCRATCH, Confinement, Finished, Job
from replan.tools.sandbox.session import run_confined
from replan.tools.workspace import Workspace

_CONFIGS = {
    "pytest.ini": "",
    ".pytest.ini": "",
    "pyproject.toml": "[tool.pytest",
    "tox.ini": "[pytest]",
    "setup.cfg": "[tool:pytest]",
}
_LINE = 300


@dataclass(frozen=True)
class Fault:
    """A test that failed, or a file that could not be collected."""

    name: str
    text: str


@dataclass(frozen=True)
class TestReport:
    """What came of a test run. `ok`: at least one test ran, and all that ran passed."""

    __test__ = False  # not a test itself, whatever pytest thinks of its name

    ok: bool
    summary: str
    faults: tuple[Fault, ...]
    finished: Finished

    def headline(self) -> str:
        """The counts, and what the first fault says, on one line."""
        first = self.summary.splitlines()[0]
        if not self.faults:
            return first
        fault = self.faults[0]
        said = next(iter(re.findall(r"^E\s+(.*)", fault.text, re.MULTILINE)), "")
        return f"{first}; {fault.name}: {clipped(said, _LINE)}" if said else first

    def text(self, limit: int) -> str:
        """The summary and the faults; assertion and error lines come first when room is short."""
        parts = [self.summary]
        room = limit - len(self.summary)
        for number, fault in enumerate(self.faults):
            share = max(200, room // (len(self.faults) - number))
            part = f"FAILED {fault.name}\n{_essence(fault.text, share - len(fault.name) - 8)}"
            if len(part) > room:
                parts.append(f"(and {len(self.faults) - number} more)")
                break
            parts.append(part)
            room -= len(part) + 1
        return "\n".join(parts)


async def run_pytest(
    workspace: Workspace, path: str, seconds: float, confinement: Confinement | None = None
) -> TestReport:
    """Run the tests in `path` (a file or folder), or all with "".

    Configuration is taken from the workspace's own root or not at all: a project that the
    workspace happens to lie in must not change how its tests run.

    Raises:
        ToolError: the path leads out of the workspace, or no sandbox can be used.
    """
    job = await asyncio.to_thread(_job, workspace, path)
    finished = await run_confined(job, confinement, seconds)
    return _report(finished, str(workspace.path))


def _job(workspace: Workspace, path: str) -> Job:
    target = workspace.relative(workspace.confine(path))
    config = _config(workspace.path)
    environment = {"PYTHONPATH": str(workspace.path)}
    if not config:
        # Plugins that happen to be installed here cost start-up time and change how tests run.
        environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    command = (
        PYTHON,
        *("-m", "pytest", "-q", "--tb=short", "--color=no"),
        *("-p", "no:cacheprovider"),
        # It traces to a server where one is configured.
        *("-p", "no:langsmith_plugin"),
        f"--junitxml={SCRATCH}/junit.xml",
        # This form names the file of each test.
        *("-o", "junit_family=xunit1"),
        *("-c", config or f"{SCRATCH}/pytest.ini"),
        f"--rootdir={workspace.path}",
        f"--confcutdir={workspace.path}",
        "--",
        target,
    )
    return Job(
        command=command,
        cwd=workspace.path,
        files={"pytest.ini": "[pytest]\n"},
        collect="junit.xml",
        environment=environment,
    )


def _config(folder: Path) -> str:
    for name, section in _CONFIGS.items():
        file = folder / name
        if file.is_file() and not file.is_symlink():
            text = file.read_text("utf-8", "replace")
            if section in text:
                return str(file)
    return ""


def _report(finished: Finished, workspace: str) -> TestReport:
    # Standard error is noise of plugins, unless pytest could not do its work (codes 3 and 4).
    told = finished.stdout if finished.exit_code in (0, 1, 2, 5) else ""
    printed = shorten(told or finished.stdout + finished.stderr, finished.scratch, workspace)
    counts, faults = _junit(finished.collected)
    passed = counts["tests"] - counts["failures"] - counts["errors"] - counts["skipped"]
    ok = finished.ok and passed > 0 and not faults
    if finished.limit:
        summary = f"the tests were {finished.how()}"
    elif finished.exit_code == 5 or (finished.ok and not counts["tests"]):
        summary = "no tests were found"
    elif finished.ok and not passed:
        summary = "no test ran: all were skipped"
    elif not counts["tests"]:
        summary = f"the tests did not run ({finished.how()})"
    else:
        words = {"failures": "failed", "errors": "with errors", "skipped": "skipped"}
        more = [f"{counts[key]} {word}" for key, word in words.items() if counts[key]]
        summary = ", ".join([*more, f"{passed} passed"])
    if not ok and not faults and printed.strip():
        summary += f"\n{bounded(printed.strip(), 1200, head=0.3)}"
    return TestReport(ok, summary, faults, finished)


def _junit(xml: str) -> tuple[dict[str, int], tuple[Fault, ...]]:
    counts = {"tests": 0, "failures": 0, "errors": 0, "skipped": 0}
    faults = []
    try:
        root = ET.fromstring(xml) if xml else ET.Element("none")
    except ET.ParseError:
        root = ET.Element("none")
    for case in root.iter("testcase"):
        counts["tests"] += 1
        if case.find("skipped") is not None:
            counts["skipped"] += 1
        for kind, key in (("failure", "failures"), ("error", "errors")):
            found = case.find(kind)
            if found is not None:
                counts[key] += 1
                where = case.get("file") or case.get("classname") or ""
                name = "::".join(part for part in (where, case.get("name", "")) if part)
                faults.append(Fault(name, (found.text or found.get("message") or "").strip()))
    return counts, tuple(faults)


def _essence(text: str, room: int) -> str:
    """The text within `room`: if it does not fit, first of all its lines of error."""
    lines = [clipped(line, _LINE) for line in text.splitlines()]
    whole = "\n".join(lines)
    if len(whole) <= room:
        return whole
    wanted = [line for line in lines if re.match(r"E\s", line)]
    places = [line for line in lines if re.match(r"\S+:\d+: ", line)][-1:]
    kept: list[str] = []
    for line in [*places, *wanted]:
        if kept and sum(map(len, kept)) + len(kept) + len(line) > room:
            break
        kept.append(clipped(line, max(60, room)))
    return "\n".join(kept) or bounded(whole, max(60, room), head=0.2)
