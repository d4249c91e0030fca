"""Runs of the task suite: one task by one agent, and the file that every run is appended to."""

import asyncio
import json
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import bench_guard
from agents import Agent, digest
from bench_guard import signal_group, stop_database
from counting_proxy import CountingProxy
from task_files import Task, judge, make_workspace

GRACE_SECONDS = 10.0
KEY = ("agent", "strategy", "model", "task", "repeat", "revision", "task_revision")


def key_of(agent: Agent, task: Task, model: str, repeat: int) -> dict[str, Any]:
    """What makes a run the same as another one: it is not run again."""
    files = [path for path in task.folder.rglob("*") if path.is_file()]
    values = (agent.name, agent.strategy, model, task.id, repeat, agent.revision, digest(files))
    return dict(zip(KEY, values, strict=True))


class RunsFile:
    """Runs as lines of JSON, the conditions of each session in a line before its runs."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def rows(self) -> list[dict[str, Any]]:
        """The runs, in the order they were made."""
        return [line for line in self._lines() if "task" in line]

    def sessions(self) -> list[dict[str, Any]]:
        """The conditions of each session, in the order they were begun."""
        return [line["conditions"] for line in self._lines() if "conditions" in line]

    def _lines(self) -> list[dict[str, Any]]:
        """All lines; one that a killed process left unfinished is passed over."""
        if not self.path.exists():
            return []
        found = []
        for line in self.path.read_text(encoding="utf-8").splitlines():
            with suppress(ValueError):
                found.append(json.loads(line))
        return [line for line in found if isinstance(line, dict)]

    def made(self) -> set[tuple[Any, ...]]:
        """The keys of the runs, as the values of `key_of`."""
        return {tuple(row.get(name) for name in KEY) for row in self.rows()}

    def append(self, row: dict[str, Any]) -> None:
        """Write a line at once, below an unfinished one if need be."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        before = self.path.read_bytes() if self.path.exists() else b""
        with self.path.open("a", encoding="utf-8") as file:
            if before and not before.endswith(b"\n"):
                file.write("\n")
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
            file.flush()
            os.fsync(file.fileno())


async def run_task(
    agent: Agent, task: Task, proxy: CountingProxy, repeat: int, keep: Path | None = None
) -> dict[str, Any]:
    """One run in a fresh home and workspace, ended from outside after the task's seconds.

    A run that had to be killed has not passed, whatever its files are like. The folder of one that
    has not passed is kept below `keep`, to be looked into.
    """
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        await asyncio.to_thread(folder.chmod, 0o711)  # else root keeps the database elsewhere
        workspace = folder / "workspace"
        await asyncio.to_thread(make_workspace, task, workspace)
        account = proxy.open()
        env = {**os.environ, "REPLAN_HOME": str(folder / "home")}
        env |= {"OPENAI_BASE_URL": proxy.url, "OPENAI_API_KEY": account}
        env |= {"OPENAI_MODEL": proxy.model, "LANGSMITH_TRACING": "false"}
        env.pop("DATABASE_URL", None)
        began = time.monotonic()
        try:
            with _guarded(folder) as watch:
                command = agent.command(task, workspace)
                killed, code = await _ended(command, workspace, env, folder, task, watch)
        finally:
            tally = proxy.close(account)
        seconds = time.monotonic() - began
        fault, wrong = "", ""
        try:
            wrong = await asyncio.to_thread(judge, task, workspace)
        except Exception as error:
            wrong = f"the judge failed: {type(error).__name__}: {error}"
        fault = f"ended after {task.seconds:g} s" if killed else wrong
        told = _last_object((folder / "out").read_text(encoding="utf-8", errors="replace"))
        errors = (folder / "err").read_text(encoding="utf-8", errors="replace").strip()
        if fault and keep:
            await asyncio.to_thread(_keep, folder, keep / f"{agent.name}-{agent.strategy}", task)
    return {
        **key_of(agent, task, proxy.model, repeat),
        "split": task.split,
        "category": task.category,
        "passed": not fault,
        "fault": impersonal(fault),
        "judged": impersonal(wrong),
        "killed": killed,
        "exit_code": code,
        "status": str(told.get("status", "")),
        **asdict(tally),
        "replans": int(told.get("replans") or 0),
        "seconds": round(seconds, 2),
        "said": impersonal(errors)[-300:] if fault else "",
    }


def _keep(folder: Path, place: Path, task: Task) -> None:
    """As it is, with its owners: the database does not start without them."""
    kept = place / task.id.replace("/", "-")
    shutil.rmtree(kept, ignore_errors=True)
    place.mkdir(parents=True, exist_ok=True)
    subprocess.run(["cp", "-a", str(folder), str(kept)], check=True)


@contextmanager
def _guarded(folder: Path) -> Iterator[Callable[[int], None]]:
    """A process that ends the run if the bench is gone before; it is told the run's group."""
    guard = subprocess.Popen(
        [sys.executable, str(Path(bench_guard.__file__)), str(folder)],
        stdin=subprocess.PIPE,
        text=True,
        start_new_session=True,  # Ctrl-C is the bench's own
    )
    assert guard.stdin is not None
    told = guard.stdin

    def watch(group: int) -> None:
        told.write(f"{group}\n")
        told.flush()

    try:
        yield watch
    finally:
        stop_database(folder / "home")
        guard.communicate("done\n")


async def _ended(
    command: list[str],
    workspace: Path,
    env: dict[str, str],
    folder: Path,
    task: Task,
    watch: Callable[[int], None],
) -> tuple[bool, int | None]:
    """Whether it had to be killed, and its exit code."""
    with (folder / "out").open("wb") as out, (folder / "err").open("wb") as err:
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=workspace,
            env=env,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            start_new_session=True,
        )
    killed = False
    try:
        watch(process.pid)
        await asyncio.wait_for(process.wait(), task.seconds)
    except TimeoutError:
        killed = True
    finally:  # also where the bench itself is ended, and for what the agent left behind
        if process.returncode is None:
            signal_group(process.pid, signal.SIGTERM)
            with suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), GRACE_SECONDS)
        signal_group(process.pid, signal.SIGKILL)
        await process.wait()
    return killed, process.returncode


def impersonal(text: str) -> str:
    """A text without folders of this machine: of absolute paths only the last part is left."""
    text = re.sub(r"(?<![\w/.:~])/(?:[\w.@+~-]+/)*(?=[\w.@+~-])", "", text)
    return re.sub(rf"\b{re.escape(platform.node() or ' ')}\b", "host", text)


def _last_object(text: str) -> dict[str, Any]:
    """What the agent printed about its run, if it got so far."""
    for line in (text, *reversed(text.splitlines())):
        with suppress(ValueError):
            if isinstance(value := json.loads(line), dict):
                return value
    return {}
