"""Calls that wait for a person: at a terminal, and by `replan resume` elsewhere."""

import json
import os
import re
from pathlib import Path

import pytest
from openai_server import openai_server_in_thread
from scripted_agent import Move, ScriptedAgent
from terminal import at_a_terminal

from replan.cli.approval import answer_from

GOAL = "Write the word hello to hello.txt"
WRITE = Move("write_file", "hello", path="hello.txt")
ELSEWHERE = Move("python", "open('hello.txt', 'w').write('hello')")
KEY = "sk-scripted-0123456789"
ASK = ("--approve", "ask:write_file(*.txt)")
TWO = [
    {"title": "Write a.txt", "writes": ["a.txt"], "depends_on": []},
    {"title": "Write b.txt", "writes": ["b.txt"], "depends_on": []},
]


def test_it_waits_and_says_how_to_go_on(inside, workspace: str, thread: str) -> None:
    with openai_server_in_thread(ScriptedAgent([WRITE]), key=KEY) as server:
        url = {"OPENAI_BASE_URL": server.url}
        args = ("--workspace", workspace, "--thread", thread)
        waits = inside("run", GOAL, *args, *ASK, "--json", **url)
        assert waits.code == 3
        assert waits.result["status"] == "waiting"
        [call] = waits.result["waiting"]
        assert (call["tool"], call["args"]["path"]) == ("write_file", "hello.txt")
        last = waits.err.strip().splitlines()[-1]
        assert last == (
            f"replan: waiting for approval of write_file. Go on with: replan resume {thread} "
            "--approve, or --reject REASON, or --edit JSON"
        )
        assert list(Path(workspace).iterdir()) == []

        still = inside("resume", thread, "--json", **url)  # without an answer
        assert (still.code, still.result["status"]) == (3, "waiting")
        bad = inside("resume", thread, "--edit", '{"path": "hello.txt"}', **url)
        assert bad.code == 3
        assert "'text' is a required property" in bad.err.strip().splitlines()[-1]

        done = inside("resume", thread, "--approve", "--json", **url)
        assert done.code == 0, done.err
        assert done.result["waiting"] == []
        assert (Path(workspace) / "hello.txt").read_text() == "hello\n"
        nothing = inside("resume", thread, "--approve", **url)
        assert nothing.code == 2
        assert "no call of this thread waits" in nothing.complaint


def test_rejected_and_edited(inside, workspace: str, thread: str) -> None:
    model = ScriptedAgent([WRITE, Move("write_file", "hallo", path="hello.txt")])
    with openai_server_in_thread(model, key=KEY) as server:
        url = {"OPENAI_BASE_URL": server.url}
        args = ("--workspace", workspace, "--thread", thread)
        assert inside("run", GOAL, *args, *ASK, **url).code == 3
        assert inside("resume", thread, "--reject", "too plain", **url).code == 3
        assert "too plain" in json.dumps(server.requests[-1]["messages"])
        edit = json.dumps({"path": "hello.txt", "text": "hello"})
        assert inside("resume", thread, "--edit", edit, **url).code == 0
    assert (Path(workspace) / "hello.txt").read_text() == "hello"


def test_several_that_wait_are_named(inside, workspace: str, thread: str) -> None:
    def moves(messages: str) -> Move:
        path = "a.txt" if "Your task: Write a.txt" in messages else "b.txt"
        return Move("write_file", "x", path=path)

    with openai_server_in_thread(ScriptedAgent(moves, tasks=TWO), key=KEY) as server:
        url = {"OPENAI_BASE_URL": server.url}
        args = ("--workspace", workspace, "--thread", thread, "--set", "plan=dag", "--json")
        waits = inside("run", "Write a.txt and b.txt", *args, *ASK, **url)
        ids = {one["args"]["path"]: one["interrupt"] for one in waits.result["waiting"]}
        assert set(ids) == {"a.txt", "b.txt"}
        assert "--interrupt" in waits.err.strip().splitlines()[-1]
        which = inside("resume", thread, "--approve", **url)
        assert which.code == 2
        assert all(one in which.complaint for one in ids.values())
        wrong = inside("resume", thread, "--approve", "--interrupt", "abc", **url)
        assert (wrong.code, "no call 'abc' waits" in wrong.complaint) == (2, True)
        one = inside("resume", thread, "--approve", "--interrupt", ids["b.txt"], **url)
        assert one.code == 3
        # It is in its task's copy of the workspace until both have ended.
        assert list(Path(workspace).iterdir()) == []
        assert inside("resume", thread, "--approve", **url).code == 0
        assert sorted(path.name for path in Path(workspace).iterdir()) == ["a.txt", "b.txt"]


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--approve", "--reject", "no"], "exclude each other"),
        (["--edit", "{"], "--edit is not JSON"),
        (["--edit", "[1]"], "--edit is not a JSON object"),
        (["--interrupt", "x"], "Give --approve, --reject or --edit too"),
    ],
)
def test_answers_that_cannot_be(inside, thread: str, args: list[str], said: str) -> None:
    refused = inside("resume", thread, *args)
    assert (refused.code, refused.out) == (2, "")
    assert said in refused.complaint


@pytest.mark.parametrize("rule", ["web_search", "ask:", "deny:a b"])
def test_a_rule_that_is_none(inside, rule: str) -> None:
    refused = inside("run", GOAL, "--approve", rule)
    assert (refused.code, refused.out) == (2, "")
    assert "approvals.0: " in refused.complaint


def test_a_broken_settings_file(inside, tmp_path: Path) -> None:
    (tmp_path / "replan.toml").write_text("[approvals]\ndenny = []\n")
    for args in (["run", GOAL], ["tools"], ["tool", "list_files"], ["threads"], ["doctor"]):
        refused = inside(*args)
        assert (refused.code, refused.out) == (2, "")
        assert "approvals.denny" in refused.complaint


def test_at_a_terminal_it_asks(replan, inside, workspace: str, thread: str, tmp_path: Path) -> None:
    """Rejected with a reason, then edited; what the model wrote cannot steer the terminal."""
    sly = Move("write_file", "\x1b[2Jall is well\u202e", path="hello.txt")
    model = ScriptedAgent([sly, WRITE, WRITE])
    args = ["run", GOAL, "--workspace", workspace, "--thread", thread, *ASK]
    typed = [
        ("Make this call?", b"n\n"),
        ("Why not", b"not like this\n"),
        ("Make this call?", b"e\n"),
        ("New arguments", b'{"path": "hello.txt"\n'),
        ("New arguments", b'{"path": "hello.txt", "text": "hello"}\n'),
    ]
    with openai_server_in_thread(model, key=KEY) as server:
        code, said = at_a_terminal(args, typed, OPENAI_BASE_URL=server.url)
        assert "not like this" in json.dumps([one["messages"] for one in server.requests])
    assert code == 0, said
    assert typed == []
    assert "\\x1b[2Jall is well\\u202e" in said
    assert "\x1b[2Jall" not in said
    assert "asked because: the rule ask:write_file(*.txt)" in said
    assert (Path(workspace) / "hello.txt").read_text() == "hello"


def test_leaving_the_question_leaves_the_call_waiting(
    replan, inside, workspace: str, thread: str
) -> None:
    args = ["run", GOAL, "--workspace", workspace, "--thread", thread, *ASK]
    with openai_server_in_thread(ScriptedAgent([WRITE]), key=KEY) as server:
        url = {"OPENAI_BASE_URL": server.url}
        code, said = at_a_terminal(args, [("Make this call?", b"\x04")], **url)
        assert code == 130, said
        assert re.search(rf"nothing is lost. Resume with: replan resume {thread}", said)
        typed = [("Make this call?", b"y\n")]
        code, said = at_a_terminal(["resume", thread], typed, **url)
        assert code == 0, said
    assert (Path(workspace) / "hello.txt").exists()


def test_an_answer_whose_bytes_are_no_text() -> None:
    rejected = answer_from(False, os.fsdecode(b"no \xff"), None)
    edited = answer_from(False, None, '{"text": "\\ud800", "number": 1}')
    assert rejected is not None
    assert edited is not None
    assert (rejected.reason, edited.args) == ("no ?", {"text": "?", "number": 1})
