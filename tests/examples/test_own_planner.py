"""The example package, built and installed as a user would, plays its role in a run."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from openai_server import openai_server_in_thread
from scripted_agent import Move, ScriptedAgent

from replan.storage.database import Database

EXAMPLE = Path(__file__).parents[2] / "examples" / "own_planner"
KEY = "sk-scripted-0123456789"
GOAL = "Write about the planets to planets.md and their radii to radii.csv"
TASKS = [
    {"title": "TEXT: write about them to planets.md", "writes": ["planets.md"]},
    {"title": "DATA: write the radii to radii.csv", "writes": ["radii.csv"]},
]
TEXT = "# Planets\n\nMars is smaller than Earth.\n"
DATA = "planet,radius\nMars,3390\nEarth,6371\n"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the package is installed into, without a network."""
    source = tmp_path_factory.mktemp("source") / "own_planner"
    shutil.copytree(EXAMPLE, source)
    target = tmp_path_factory.mktemp("installed")
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps"),
            *("--no-build-isolation", "--target", str(target), str(source)),
        ],
        check=True,
        timeout=120,
    )
    return target


def python(installed: Path, *args: str, **env: str) -> "subprocess.CompletedProcess[str]":
    variables = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    # With it a crash at the end of the process is not seen.
    variables.pop("PYTHONUNBUFFERED", None)
    return subprocess.run(
        [sys.executable, *args],
        env={**variables, "PYTHONPATH": str(installed), **env},
        cwd=installed,
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_it_is_named_by_its_entry_point_and_keeps_its_contract(installed: Path) -> None:
    code = (
        "from replan.nodes.registry import names\n"
        "from replan.nodes.testing import check_contract\n"
        "assert 'data_first' in names('plan'), names('plan')\n"
        "check_contract('plan', 'data_first')\n"
        "print('kept')"
    )
    done = python(installed, "-c", code)
    assert (done.stdout, done.returncode) == ("kept\n", 0), done.stderr


def test_a_goal_is_reached_in_the_order_that_it_plans(
    installed: Path, database: Database, tmp_path: Path
) -> None:
    order: list[str] = []

    def move(prompt: str) -> Move:
        own = prompt[prompt.rindex("Your task: ") :]
        order.append("data" if own.startswith("Your task: DATA:") else "text")
        if order[-1] == "data":
            return Move("write_file", DATA, path="radii.csv")
        return Move("write_file", TEXT, path="planets.md")

    with openai_server_in_thread(ScriptedAgent(move, tasks=TASKS), key=KEY) as server:
        done = python(
            installed,
            *("-m", "replan.cli.main", "run", GOAL, "--json", "--workspace", str(tmp_path)),
            *("--set", "plan=data_first"),
            OPENAI_BASE_URL=server.url,
            OPENAI_API_KEY=KEY,
        )
    result: dict[str, Any] = json.loads(done.stdout)
    assert result["status"] == "done", done.stderr
    assert order == ["data", "text"]
    assert (tmp_path / "radii.csv").read_text().strip() == DATA.strip()
    assert (tmp_path / "planets.md").read_text().strip() == TEXT.strip()
