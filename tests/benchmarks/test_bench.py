import asyncio
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from openai_server import openai_server

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))

import bench  # noqa: E402
from agents import Agent  # noqa: E402
from bench_runs import RunsFile  # noqa: E402
from bench_table import summary  # noqa: E402
from counting_proxy import CountingProxy  # noqa: E402
from task_files import Task, load_tasks  # noqa: E402

JUDGE = """
import pathlib, sys
if not pathlib.Path("done.txt").exists():
    print("done.txt is missing"); sys.exit(1)
"""
ASKS = """
import json, os, pathlib, sys, urllib.request
for streamed in (False, True):
    body = {"model": "x", "messages": [{"role": "user", "content": "one two three"}]}
    request = urllib.request.Request(
        os.environ["OPENAI_BASE_URL"] + "/chat/completions",
        json.dumps({**body, "stream": streamed}).encode(),
        {"Authorization": "Bearer " + os.environ["OPENAI_API_KEY"],
         "Content-Type": "application/json"})
    said = urllib.request.urlopen(request).read().decode()
    assert ("usage" in said) != streamed, said
pathlib.Path("done.txt").touch()
print(json.dumps({"status": "done", "replans": 2}))
"""


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    for name, split, seconds in (("a", "dev", 60), ("b", "holdout", 60)):
        folder = tmp_path / "suite" / "files" / name
        folder.mkdir(parents=True)
        (folder / "task.toml").write_text(f'goal = "g"\nsplit = "{split}"\nseconds = {seconds}\n')
        (folder / "judge.py").write_text(JUDGE)
    return tmp_path / "suite"


def rewrite(suite: Path, name: str, change: Callable[[str], str]) -> None:
    for path in suite.rglob(name):
        path.write_text(change(path.read_text()))


def agent(script: str, strategy: str = "plain") -> Agent:
    def command(task: Task, workspace: Path) -> list[str]:
        return [sys.executable, "-c", script]

    return Agent("peer", strategy, "r1", command)


async def run(
    agents: list[Agent], suite: Path, path: Path, times: int = 1, answers: Any = None
) -> tuple[list[dict[str, Any]], int]:
    async with (
        openai_server(answers or (lambda body: "four words are said")) as server,
        CountingProxy(server.url, "test-key", "scripted").serving() as proxy,
    ):
        await bench.run_all(agents, load_tasks(suite), times, proxy, RunsFile(path))
        return RunsFile(path).rows(), len(server.requests)


async def test_calls_and_tokens_are_counted_at_the_server(suite: Path, tmp_path: Path) -> None:
    rows, asked = await run([agent(ASKS)], suite, tmp_path / "runs.jsonl")
    assert asked == 4
    for row in rows:
        assert (row["passed"], row["model_calls"], row["answered"]) == (True, 2, 2), row
        assert (row["input_tokens"], row["output_tokens"], row["replans"]) == (6, 8, 2)


async def test_what_was_run_is_not_run_again(suite: Path, tmp_path: Path) -> None:
    path = tmp_path / "runs.jsonl"
    first, _ = await run([agent(ASKS)], suite, path)
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[:-1]) + lines[-1][:20])  # killed in the middle of a line
    again, asked = await run([agent(ASKS)], suite, path)
    assert asked == 2
    assert [row["task"] for row in again] == [row["task"] for row in first]


async def test_a_run_is_ended_at_its_limit(suite: Path, tmp_path: Path) -> None:
    rewrite(suite, "task.toml", lambda text: text.replace("seconds = 60", "seconds = 0.5"))
    late = "import pathlib, time; pathlib.Path('done.txt').touch(); time.sleep(60)"
    async with asyncio.timeout(30):
        rows, _ = await run([agent(late)], suite, tmp_path / "runs.jsonl")
    assert {row["killed"] for row in rows} == {True}
    assert {(row["passed"], row["fault"]) for row in rows} == {(False, "ended after 0.5 s")}


async def test_a_judge_that_fails_makes_a_row(suite: Path, tmp_path: Path) -> None:
    rewrite(suite, "judge.py", lambda text: "raise OSError('no such thing')")
    rows, _ = await run([agent(ASKS)], suite, tmp_path / "runs.jsonl")
    assert [row["passed"] for row in rows] == [False, False]
    assert all("no such thing" in row["fault"] for row in rows)


async def test_the_summary_adds_up(suite: Path, tmp_path: Path) -> None:
    agents = [agent(ASKS), agent(ASKS.replace(".touch()", ".exists()"), "idle")]
    rows, _ = await run(agents, suite, tmp_path / "runs.jsonl", times=2)
    found = {(row["strategy"], row["split"], row["category"]): row for row in summary(rows)}
    assert len(found) == 2 * 2 * 2
    for (strategy, split, _), row in found.items():
        of = [one for one in rows if (one["strategy"], one["split"]) == (strategy, split)]
        assert row["total"] == len(of) == 2
        assert row["passed"] == (2 if strategy == "plain" else 0)
        assert row["model_calls"] == sum(one["model_calls"] for one in of)
        assert row["input_tokens"] == sum(one["input_tokens"] for one in of)
    older = [{**row, "revision": "r0", "passed": True} for row in rows]
    assert summary([*older, *rows]) == summary(rows)


async def test_an_agent_that_never_reaches_the_model_stops_the_bench(
    suite: Path, tmp_path: Path
) -> None:
    path = tmp_path / "runs.jsonl"
    broken = agent("import sys; sys.exit('no such option: /home/me/x')", "broken")
    with pytest.raises(bench.SetUpFault, match="peer broken made no model call") as fault:
        await run([agent(ASKS), broken], suite, path, times=2)
    told = str(fault.value)
    assert "no such option: x" in told
    assert "\n" not in told
    assert {row["strategy"] for row in RunsFile(path).rows()} == {"plain"}


async def test_one_run_without_a_call_is_no_fault(suite: Path, tmp_path: Path) -> None:
    once = "import os, pathlib\nif os.path.exists('%s'):\n%s\nelse: pathlib.Path('%s').touch()"
    mark = tmp_path / "mark"
    asks = "\n".join(f"    {line}" for line in ASKS.splitlines())
    rows, _ = await run([agent(once % (mark, asks, mark))], suite, tmp_path / "runs.jsonl", 2)
    assert [row["model_calls"] for row in rows] == [0, 2, 2, 2]


def test_a_set_up_fault_is_exit_code_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    async def faulty(asked: Any) -> None:
        raise bench.SetUpFault("set-up fault: the model server was never reached")

    monkeypatch.setattr(bench, "bench", faulty)
    monkeypatch.setattr(sys, "argv", ["bench.py", "--results", str(tmp_path)])
    assert bench.main() == 1
    assert capsys.readouterr().err == "set-up fault: the model server was never reached\n"
