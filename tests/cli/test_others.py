"""`replan --help`, `graph` and `doctor`."""

import json
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import pytest
from openai_server import openai_server_in_thread
from scripted_agent import ScriptedAgent

HELP_SECONDS = 0.5


def test_help_comes_at_once() -> None:
    command = [sys.executable, "-m", "replan.cli.main", "--help"]
    seconds = []
    for _ in range(3):
        began = time.monotonic()
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        seconds.append(time.monotonic() - began)
    names = ("run", "resume", "restore", "tools", "tool", "threads", "graph", "doctor")
    for name in names:
        assert f"\n  {name} " in said
    assert min(seconds) <= HELP_SECONDS


def test_help_of_run_names_every_option_and_exit_code(inside) -> None:
    said = inside("run", "--help").out
    for option in (
        "--workspace", "--thread", "--model", "--set", "--max-steps", "--max-seconds",
        "--max-tokens", "--max-cost", "--approve", "--sandbox", "--json",
    ):  # fmt: skip
        assert f"{option} " in said
    assert "130 interrupted" in said


def test_the_graph_is_drawn(inside, tmp_path: Path) -> None:
    drawn = inside("graph", "--mermaid")
    assert drawn.code == 0
    assert "select_tool -.-> execute;" in drawn.out
    assert inside("graph").out == drawn.out


@pytest.mark.skipif(find_spec("pygraphviz") is not None, reason="Graphviz is here")
def test_a_picture_needs_graphviz(inside) -> None:
    refused = inside("graph", "--png", "graph.png")
    assert refused.code == 2
    assert "Graphviz" in refused.complaint
    assert not Path("graph.png").exists()


def test_the_doctor_finds_what_there_is(inside) -> None:
    with openai_server_in_thread(ScriptedAgent([]), key=None) as server:
        well = inside("doctor", "--json", OPENAI_BASE_URL=server.url)
    assert well.code == 0
    assert well.out.count("\n") == 1
    found = {finding["what"]: finding for finding in json.loads(well.out)}
    assert found["model"] == {
        "what": "model", "ok": True, "detail": "server scripted", "needed": True
    }  # fmt: skip
    assert found["database"]["detail"].startswith("embedded, PostgreSQL ")
    assert "TAVILY_API_KEY" in found["web search"]["detail"]
    assert found["langgraph"]["ok"]


def test_the_doctor_says_what_is_missing_and_how_to_get_it(inside) -> None:
    ill = inside(
        "doctor",
        OPENAI_BASE_URL="http://127.0.0.1:9/v1",
        DATABASE_URL="postgresql://me:hush@127.0.0.1:9/mine",
    )
    assert ill.code == 2
    lines = ill.out.splitlines()
    missing = [line for line in lines if line.startswith("MISS")]
    assert [line.split()[1] for line in missing] == ["model:", "database:"]
    assert "OPENAI_BASE_URL" in missing[0]
    assert "nothing listens there" in missing[1]
    assert "hush" not in ill.out + ill.err
