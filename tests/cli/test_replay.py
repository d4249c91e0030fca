"""`replan replay` as a user, or a CI job, has it."""

import time
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from openai_server import Reply, openai_server_in_thread
from scripted_agent import Move, ScriptedAgent

from replan.nodes import briefing

KEY = "sk-scripted-0123456789"
# Whether hello.txt is to be written has to be asked: the goal could be plainer.
GOAL = "I need hello.txt with the word hello"
FIELDS = {
    "thread_id", "from", "to", "steps", "model_calls_replayed", "tool_calls_replayed", "equal",
    "divergence", "missing", "seconds",
}  # fmt: skip
NOBODY = {"OPENAI_BASE_URL": "http://127.0.0.1:9/v1"}


@pytest.fixture
def done(inside, workspace: str, thread: str) -> str:
    """A thread whose run stopped, was resumed with more, and is done; its model is gone."""
    astray = Move("python", "open('other.txt', 'w').write('astray')")
    model = ScriptedAgent([astray, Move("write_file", "hello", path="hello.txt")])
    with openai_server_in_thread(model, key=KEY) as server:
        env = {"OPENAI_BASE_URL": server.url}
        stopped = inside("run", GOAL, "--workspace", workspace, "--thread", thread,
                         "--max-steps", "1", "--json", **env)  # fmt: skip
        assert stopped.result["status"] == "stopped"
        resumed = inside("resume", thread, "--max-steps", "9", "--json", **env)
        assert resumed.result["status"] == "done"
    return thread


def test_what_was_recorded_is_done_again(inside, done: str, workspace: str) -> None:
    before = {path.name: path.stat().st_mtime_ns for path in Path(workspace).iterdir()}
    again = inside("replay", done, "--json", **NOBODY)
    assert (again.code, again.err) == (0, "")
    result = again.result
    assert set(result) == FIELDS
    assert (result["thread_id"], result["equal"], result["divergence"]) == (done, True, None)
    assert result["tool_calls_replayed"] == 2
    assert result["model_calls_replayed"] >= 4
    assert {path.name: path.stat().st_mtime_ns for path in Path(workspace).iterdir()} == before

    short = result["from"][-12:]
    said = inside("replay", done, "--from", short, "--to", "head", **NOBODY)
    assert said.code == 0
    [line] = said.out.splitlines()
    assert line.startswith(f"equal: {result['steps']} steps replayed, with ")
    assert "2 tool calls" in line


def test_a_run_that_was_killed_and_whose_files_were_changed_meanwhile(
    replan, inside, workspace: str, thread: str
) -> None:
    astray = Move("python", "open('other.txt', 'w').write('astray')")
    model = ScriptedAgent([astray, Move("write_file", "hello", path="hello.txt")])
    slow = [True]

    def answer(body: dict[str, Any]) -> Reply:
        reply = model(body)
        reply.delay = 9.0 if slow and model.asked.count("select_tool") == 2 else 0.0
        return reply

    with openai_server_in_thread(answer, key=KEY) as server:
        env = {"OPENAI_BASE_URL": server.url}
        running = replan.start("run", GOAL, "--workspace", workspace, "--thread", thread, **env)
        while model.asked.count("select_tool") < 2:
            assert running.poll() is None
            time.sleep(0.01)
        running.kill()
        running.communicate()
        slow.clear()
        Path(workspace, "mine.csv").write_text("a,b\n1,2\n")
        resumed = inside("resume", thread, "--json", **env)
        assert resumed.result["status"] == "done"
    again = inside("replay", thread, "--json", **NOBODY)
    assert again.result["divergence"] is None
    assert again.result["tool_calls_replayed"] == 2


def test_an_exported_run_is_replayed_where_it_was_imported(inside, done: str, tmp_path) -> None:
    other = str(uuid4())
    assert inside("export", done, str(tmp_path / "run.zip")).code == 0
    assert inside("import", str(tmp_path / "run.zip"), "--as", other).code == 0
    again = inside("replay", other, "--json", **NOBODY)
    assert again.result["divergence"] is None
    assert again.result["tool_calls_replayed"] == 2


def test_another_prompt_fails_and_names_the_step(inside, done: str, monkeypatch) -> None:
    monkeypatch.setattr(briefing, "_SYSTEM", f"Be brief.\n{briefing._SYSTEM}")
    again = inside("replay", done, "--json", **NOBODY)
    assert again.code == 1
    found = again.result["divergence"]
    assert not again.result["equal"]
    assert (found["step"], found["node"], found["kind"]) == (2, "decompose", "model")

    said = inside("replay", done, **NOBODY)
    assert said.code == 1
    lines = said.out.splitlines()
    assert lines[0].startswith("NOT equal: 2 steps replayed")
    assert lines[1].startswith("step 2, decompose, from checkpoint ")
    assert "  +  Be brief." in lines


def test_what_cannot_be_replayed_is_one_line(inside, done: str) -> None:
    other = "00000000-0000-4000-8000-000000000000"
    for args, said in (
        (("nonsense",), "UUID"),
        ((other,), "no thread"),
        ((done, "--from", "nonsense"), "no checkpoint 'nonsense'"),
        ((done, "--to", "1f000000-0000-6000-8000-000000000000"), "no checkpoint"),
    ):
        refused = inside("replay", *args, **NOBODY)
        assert refused.code == 2
        assert said in refused.complaint
    ends = inside("replay", done, "--json", **NOBODY).result
    back = inside("replay", done, "--from", ends["to"], "--to", ends["from"], **NOBODY)
    assert back.code == 2
    assert "no branch leads" in back.complaint


def test_help_has_examples(inside) -> None:
    said = inside("replay", "--help").out
    assert "replan replay 5f0c2a4e" in said
    for option in ("--from", "--to", "--json"):
        assert f"{option} " in said
