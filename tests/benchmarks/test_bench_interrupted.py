"""A bench that is ended in the middle of a run, and what it leaves behind."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from bench_guard import stop_database
from bench_runs import RunsFile
from openai_server import openai_server_in_thread

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
STARTS_DATABASE = """
import json, os, pathlib, sys, time
from replan.storage.embedded import start_embedded
start_embedded()
home = pathlib.Path(os.environ["REPLAN_HOME"])
server = int((home / "postgres/data/postmaster.pid").read_text().split()[0])
found = {"folder": str(home.parent), "pids": [os.getpid(), server]}
part = pathlib.Path(sys.argv[1] + ".part")
part.write_text(json.dumps(found))
part.rename(sys.argv[1])
time.sleep(300)
"""
ASKS = """
import json, os, urllib.request
body = {"model": "x", "messages": [{"role": "user", "content": "one"}]}
urllib.request.urlopen(urllib.request.Request(
    os.environ["OPENAI_BASE_URL"] + "/chat/completions", json.dumps(body).encode(),
    {"Authorization": "Bearer " + os.environ["OPENAI_API_KEY"],
     "Content-Type": "application/json"})).read()
"""
# The bench itself, with an agent that asks in the first task and starts a database in the second.
BENCH = """
import sys
import bench
from agents import Agent
asks, starts, told = sys.argv.pop(1), sys.argv.pop(1), sys.argv.pop(1)
def command(task, workspace):
    return [sys.executable, "-c", asks if task.name == "a" or starts == "" else starts, told]
bench.replan_agent = lambda name, options: Agent("replan", name, "r1", command)
sys.exit(bench.main())
"""


def waited(found: Callable[[], bool], seconds: float = 90) -> bool:
    end = time.monotonic() + seconds
    while not found() and time.monotonic() < end:
        time.sleep(0.05)
    return found()


def alive(number: int) -> bool:
    return psutil.pid_exists(number) and psutil.Process(number).status() != psutil.STATUS_ZOMBIE


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    for name in ("a", "b"):
        folder = tmp_path / "suite" / "files" / name
        folder.mkdir(parents=True)
        (folder / "task.toml").write_text('goal = "g"\nsplit = "dev"\nseconds = 280\n')
        (folder / "judge.py").write_text("")
    return tmp_path / "suite"


@pytest.mark.timeout(300)
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_nothing_but_the_run_in_flight_is_lost(
    suite: Path, tmp_path: Path, number: signal.Signals
) -> None:
    told, path = tmp_path / "told", tmp_path / "runs.jsonl"
    with openai_server_in_thread(lambda body: "two") as server:
        env = {**os.environ, "PYTHONPATH": str(BENCHMARKS), "OPENAI_BASE_URL": server.url,
               "OPENAI_API_KEY": "test-key"}  # fmt: skip
        options = ["--model", "scripted", "--suite", str(suite), "--results", str(tmp_path)]

        def start(starts: str) -> subprocess.Popen[str]:
            command = [sys.executable, "-c", BENCH, ASKS, starts, str(told), *options]
            return subprocess.Popen(command, env=env, stderr=subprocess.PIPE, text=True)

        bench = start(STARTS_DATABASE)
        assert waited(told.exists), bench.poll()
        left = json.loads(told.read_text())
        assert all(alive(one) for one in left["pids"])
        bench.send_signal(number)
        _, said = bench.communicate(timeout=60)
        assert waited(lambda: not any(alive(one) for one in left["pids"]))
        assert waited(lambda: not Path(left["folder"]).exists())
        assert [row["task"] for row in RunsFile(path).rows()] == ["files/a"]
        if number == signal.SIGINT:
            assert bench.returncode == 130
            assert said == "interrupted; the same command goes on from here\n"

        again = start("")
        _, said = again.communicate(timeout=60)
        assert again.returncode == 0, said
        assert [row["task"] for row in RunsFile(path).rows()] == ["files/a", "files/b"]
        assert len(server.requests) == 2


@pytest.mark.timeout(200)
def test_the_database_of_a_killed_run_is_ended(
    tmp_path: Path, make_home: Callable[[], Path]
) -> None:
    home, told = make_home() / "home", tmp_path / "told"
    home.mkdir()
    env = {**os.environ, "REPLAN_HOME": str(home)}
    run = subprocess.Popen([sys.executable, "-c", STARTS_DATABASE, str(told)], env=env)
    assert waited(told.exists), run.poll()
    server = json.loads(told.read_text())["pids"][1]
    run.kill()
    run.wait()
    assert alive(server)
    stop_database(home)
    assert not alive(server)
    stop_database(home)  # also where there is none
