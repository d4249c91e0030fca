"""What is written beside the runs: summary, table, plot, and under which conditions."""

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from agents import Agent
from bench import conditions
from bench_runs import RunsFile, impersonal
from bench_table import write_results

FILES = ("summary.json", "summary.md", "summary.svg", "conditions.json")


def row(**changed: Any) -> dict[str, Any]:
    told = {"agent": "replan", "strategy": "default", "model": "m", "task": "files/a", "repeat": 1}
    told |= {"revision": "r2", "task_revision": "t", "split": "dev", "category": "files"}
    told |= {"passed": True, "model_calls": 3, "input_tokens": 100, "output_tokens": 20}
    return told | {"seconds": 1.5, "replans": 0} | changed


def session(runs: RunsFile, revision: str, cores: int) -> None:
    told = conditions("m", [Agent("replan", "default", revision, lambda task, workspace: [])])
    told["conditions"]["cores"] = cores
    runs.append(told)


def written(folder: Path) -> dict[str, bytes]:
    runs = RunsFile(folder / "runs.jsonl")
    session(runs, "r1", 1)
    runs.append(row(revision="r1", passed=False))
    session(runs, "r2", 2)
    runs.append(row())
    runs.append(row(task="data/b", category="data", split="holdout", passed=False))
    session(runs, "r3", 3)  # which got no run done
    runs.append(row(agent="idle", passed=False, input_tokens=0, output_tokens=0))
    write_results(runs)
    return {name: (folder / name).read_bytes() for name in FILES}


def test_the_same_runs_give_the_same_files(tmp_path: Path) -> None:
    assert written(tmp_path / "a") == written(tmp_path / "b")


def test_the_plot_names_every_agent_and_split(tmp_path: Path) -> None:
    root = ElementTree.fromstring(written(tmp_path)["summary.svg"])
    said = [text.text for text in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"replan default m", "idle default m", "dev", "holdout", "tasks passed"} <= set(said)


def test_no_runs_are_written_as_none(tmp_path: Path) -> None:
    assert write_results(RunsFile(tmp_path / "runs.jsonl")) == []
    assert json.loads((tmp_path / "summary.json").read_text()) == []


def test_conditions_are_those_of_the_newest_session(tmp_path: Path) -> None:
    found = {one["agent"]: one for one in json.loads(written(tmp_path)["conditions.json"])}
    assert (found["replan"]["revision"], found["replan"]["cores"]) == ("r2", 2)
    assert found["replan"]["versions"]["langgraph"]
    assert "cores" not in found["idle"]


def test_the_summary_has_the_keys_that_are_promised(tmp_path: Path) -> None:
    rows = json.loads(written(tmp_path)["summary.json"])
    promised = {"agent", "strategy", "model", "split", "category", "passed", "total"}
    promised |= {"model_calls", "input_tokens", "output_tokens", "seconds"}
    assert all(promised <= set(one) for one in rows)
    assert {(one["split"], one["category"]) for one in rows if one["agent"] == "replan"} == {
        ("dev", "files"), ("dev", "all"), ("holdout", "data"), ("holdout", "all")
    }  # fmt: skip


def test_dev_tasks_run_later_leave_the_holdout_in(tmp_path: Path) -> None:
    runs = RunsFile(tmp_path / "runs.jsonl")
    for one in (
        row(split="holdout", revision="r1"),
        row(revision="r1"),
        row(revision="r2", passed=False),
    ):
        runs.append(one)
    found = {one["split"]: one["passed"] for one in write_results(runs)}
    assert found == {"dev": 0, "holdout": 1}


def test_texts_keep_no_folder_of_the_machine() -> None:
    told = 'File "/home/me/x y/lib/a.py", line 3: http://127.0.0.1:80/v1/chat, 3/4, ./b/c, (/tmp/d)'
    assert "/home" not in impersonal(told)
    assert impersonal("in /home/me/lib/a.py: b") == "in a.py: b"
    assert impersonal(told).endswith("line 3: http://127.0.0.1:80/v1/chat, 3/4, ./b/c, (d)")
