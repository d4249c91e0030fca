"""The task suite: what a task is, its starting workspace, and its judge's word on a result.

A task is a folder `tasks/<category>/<name>/` that holds `task.toml` (goal, split, seconds,
documents), `judge.py`, the starting workspace as `files/` or made by `make.py`, and a reference
solution as `solution/` (laid over the workspace) or `solution.py` (run in it).
"""

import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

TASKS = Path(__file__).parent / "tasks"


@dataclass(frozen=True)
class Task:
    """One task of the suite.

    Attributes:
        name: unique within its category.
        category: the kind of work, the name of the folder around it.
        goal: what the agent is told, in words.
        split: `holdout` is not looked at while the agent is improved.
        seconds: what a run may take.
        folder: where the task is.
        documents: a folder of documents to search, which is not in the workspace; or none.
    """

    name: str
    category: str
    goal: str
    split: Literal["dev", "holdout"]
    seconds: float
    folder: Path
    documents: Path | None

    @property
    def id(self) -> str:
        """Category and name, unique in the suite."""
        return f"{self.category}/{self.name}"


def load_task(folder: Path) -> Task:
    """Read one task's folder.

    Raises:
        ValueError: `task.toml` has an unknown or missing entry, or names no such documents.
    """
    told = tomllib.loads((folder / "task.toml").read_text(encoding="utf-8"))
    wrong = set(told) - {"goal", "split", "seconds", "documents"}
    if wrong or not told.get("goal") or told.get("split") not in ("dev", "holdout"):
        raise ValueError(f"{folder / 'task.toml'}: needs goal and split; unknown: {sorted(wrong)}")
    documents = folder / told["documents"] if "documents" in told else None
    if documents and not documents.is_dir():
        raise ValueError(f"{folder / 'task.toml'}: there is no folder {documents.name}")
    return Task(
        name=folder.name,
        category=folder.parent.name,
        goal=told["goal"],
        split=told["split"],
        seconds=float(told.get("seconds", 240)),
        folder=folder,
        documents=documents,
    )


def load_tasks(folder: Path = TASKS) -> list[Task]:
    """All tasks below a folder, by category and name.

    Raises:
        ValueError: a task's description cannot be used.
    """
    return [load_task(path.parent) for path in sorted(folder.glob("*/*/task.toml"))]


def make_workspace(task: Task, folder: Path) -> None:
    """Put a task's starting workspace into a folder, made where it is missing.

    Raises:
        RuntimeError: the task's `make.py` failed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if (task.folder / "files").is_dir():
        shutil.copytree(task.folder / "files", folder, dirs_exist_ok=True)
    if (task.folder / "make.py").exists():
        _run(task.folder / "make.py", folder)


def solve(task: Task, folder: Path) -> None:
    """Lay the reference solution over a workspace.

    Raises:
        RuntimeError: the task's `solution.py` failed.
    """
    if (task.folder / "solution").is_dir():
        shutil.copytree(task.folder / "solution", folder, dirs_exist_ok=True)
    if (task.folder / "solution.py").exists():
        _run(task.folder / "solution.py", folder)


def judge(task: Task, folder: Path, seconds: float = 60) -> str:
    """What is wrong with the workspace a run left behind, in one line; "" when all is right.

    Judges a copy, in a fresh process, so that neither touches the run's folder. Blocks.
    """
    with tempfile.TemporaryDirectory(prefix="judge-") as name:
        copy = Path(name) / "workspace"
        shutil.copytree(folder, copy, symlinks=True)
        try:
            done = _python(task.folder / "judge.py", copy, seconds)
        except subprocess.TimeoutExpired:
            return f"the judge had no answer after {seconds:g} s"
    said = " ".join((done.stdout.strip() or done.stderr.strip()[-300:]).split())
    return "" if done.returncode == 0 else said or f"the judge ended with {done.returncode}"


def _run(script: Path, folder: Path) -> None:
    done = _python(script, folder, 60)
    if done.returncode:
        raise RuntimeError(f"{script}: {done.stderr.strip()[-500:]}")


def _python(script: Path, folder: Path, seconds: float) -> subprocess.CompletedProcess[str]:
    """Run a script of a task in a workspace, with what all judges share importable.

    Without site packages (-S): the scripts need none, and a process starts in a third of the time.
    """
    return subprocess.run(
        [sys.executable, "-BS", str(script.resolve())],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(TASKS.resolve()), "PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
        errors="replace",
        timeout=seconds,
        check=False,
    )
