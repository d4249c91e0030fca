"""The peers of the benchmark on a scripted server, in their own environment and confinement.

Where `make bench-peers` has not made that environment, there is nothing to test.
"""

from pathlib import Path
from typing import Any

import agents
import pytest
from bench_runs import run_task
from counting_proxy import CountingProxy
from openai_server import Reply, openai_server
from task_files import load_tasks

from replan.state.settings import settings

NAMES = ("smolagents", "langgraph")
JUDGE = """
import json, pathlib, sys
said = pathlib.Path("total.json")
if not said.exists() or json.loads(said.read_text()) != {"total": 5, "note": "paid"}:
    print("total.json is wrong"); sys.exit(1)
"""
SCRIPT = """
import csv, json, subprocess, sys
from pathlib import Path
with open("amounts.csv", newline="") as file:
    total = sum(int(row["amount"]) for row in csv.DictReader(file))
note = subprocess.run(["cat", "note.txt"], capture_output=True, text=True).stdout.strip()
Path("total.json").write_text(json.dumps({"total": total, "note": note}))
try:
    open("../../outside.txt", "w")
    Path("total.json").unlink()
except OSError as error:
    print(error)
"""
LAST = {"smolagents": "<code>\nfinal_answer('done')\n</code>", "langgraph": "done"}


@pytest.fixture
def python() -> Path:
    folder = agents.peers_folder(settings().replan_cache)
    if not (folder / "ready").exists():
        pytest.skip("the peers' environment is not there: make bench-peers")
    return folder / "bin" / "python"


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    folder = tmp_path / "suite" / "data" / "total"
    (folder / "files").mkdir(parents=True)
    (folder / "files" / "amounts.csv").write_text("amount\n2\n3\n")
    (folder / "files" / "note.txt").write_text("paid\n")
    (folder / "task.toml").write_text('goal = "Sum up."\nsplit = "dev"\nseconds = 90\n')
    (folder / "judge.py").write_text(JUDGE)
    return tmp_path / "suite"


def code(name: str, script: str) -> Any:
    """The peer's own way to have a script run."""
    if name == "smolagents":
        return f"Thought: I run it.\n<code>\n{script}\n</code>"
    return Reply(tool_calls=[("run_python", {"code": script})])


async def run(name: str, python: Path, suite: Path, script: Any) -> tuple[dict[str, Any], Any]:
    peer = {one.name: one for one in agents.peer_agents(python)}[name]
    async with (
        openai_server(script) as server,
        CountingProxy(server.url, "test-key", "scripted").serving() as proxy,
    ):
        return await run_task(peer, load_tasks(suite)[0], proxy, 1), server


@pytest.mark.timeout(200)
@pytest.mark.parametrize("name", NAMES)
async def test_a_peer_works_on_the_files(name: str, python: Path, suite: Path) -> None:
    row, server = await run(name, python, suite, [code(name, SCRIPT), LAST[name]])
    assert row["passed"], row
    assert (row["model_calls"], row["answered"], row["exit_code"]) == (2, 2, 0)
    assert row["input_tokens"] > 0
    assert row["output_tokens"] > 0
    assert "Read-only file system" in str(server.requests[1]["messages"])


@pytest.mark.timeout(200)
@pytest.mark.parametrize("name", NAMES)
async def test_a_peer_has_tools_for_files(name: str, python: Path, suite: Path) -> None:
    calls: list[tuple[str, dict[str, str]]] = [
        ("list_files", {}),
        ("read_file", {"path": "note.txt"}),
        ("read_file", {"path": "none\0such"}),
        ("write_file", {"path": "total.json", "content": '{"total": 5, "note": "paid"}'}),
    ]
    if name == "smolagents":
        lines = [f"print({tool}(**{given!r}))" for tool, given in calls]
        script = [code(name, "\n".join(lines)), LAST[name]]
    else:
        script = [Reply(tool_calls=calls), LAST[name]]
    row, server = await run(name, python, suite, script)
    assert row["passed"], row
    shown = str(server.requests[1]["messages"])
    assert all(part in shown for part in ("amounts.csv", "paid", "error: ", "total.json is"))


@pytest.mark.timeout(200)
@pytest.mark.parametrize("name", NAMES)
async def test_a_peer_ends_at_its_limit_and_is_judged(
    name: str, python: Path, suite: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agents, "RESERVE_SECONDS", 75)
    script = [code(name, SCRIPT), Reply(content="late", delay=60)]
    row, _ = await run(name, python, suite, script)
    assert (row["status"], row["killed"]) == ("max_seconds", False), row
    assert row["seconds"] < 60
    assert row["passed"], row


@pytest.mark.timeout(200)
@pytest.mark.parametrize("name", NAMES)
async def test_a_peer_has_as_many_steps_as_it_is_given(
    name: str, python: Path, suite: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agents, "PEER_STEPS", 3)
    row, _ = await run(name, python, suite, lambda body: code(name, "print(1)"))
    assert row["killed"] is False
    assert 3 <= row["model_calls"] <= 4, row  # smolagents asks once more for a last answer
