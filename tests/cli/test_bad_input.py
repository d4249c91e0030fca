"""Bad input: one clear line on standard error, exit code 2, no traceback, nothing lost."""

import os
import socket
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from openai_server import OpenAIServer, openai_server_in_thread
from scripted_agent import Move, ScriptedAgent

from replan.storage.database import Database

GOAL = "Write the word hello to hello.txt"
KEY = "sk-scripted-0123456789"
NOBODY = "http://127.0.0.1:9/v1"


@pytest.fixture(scope="module")
def server():
    model = ScriptedAgent([Move("write_file", "hello", path="hello.txt")])
    with openai_server_in_thread(model, key=KEY, models=["big", "small"]) as served:
        yield served


def refused(done, *said: str) -> None:
    """It ended with exit code 2 and one line, which holds what is said."""
    assert done.code == 2, done.err
    assert done.out == ""
    for part in said:
        assert part in done.complaint
    assert KEY not in done.err
    assert "hush" not in done.err


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ([""], "the goal is empty"),
        (["   \n"], "the goal is empty"),
        (["x" * 100_000], "the goal has 100,000 characters; 20,000 are the most"),
        ([GOAL, "--set", "plan=htn"], "no implementation 'htn'. There are: compiler, dag, rewoo"),
        ([GOAL, "--strategy", "reakt"], "no strategy 'reakt'. There are: one_shot, plan_execute"),
        ([GOAL, "--set", "strategy=reakt"], "no strategy 'reakt'. There are: one_shot"),
        ([GOAL, "--set", "planner=dag"], "Roles: recall, decompose, plan, select_tool"),
        ([GOAL, "--set", "plan"], "--set takes NAME=VALUE, not 'plan'"),
        ([GOAL, "--set", "plan=os:nowhere"], "no implementation 'os:nowhere'"),
        ([GOAL, "--model", "huge"], "has no model 'huge'. It has: big, small"),
        ([GOAL, "--thread", "../mine"], "a thread's id is a UUID, not '../mine'"),
        ([GOAL, "--workspace", "missing"], "missing does not exist"),
        ([GOAL, "--workspace", "file"], "file is not a folder"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_run_that_cannot_be(
    inside, tmp_path: Path, server: OpenAIServer, args: list[str], said: str
) -> None:
    (tmp_path / "file").write_text("x")
    refused(inside("run", *args, OPENAI_BASE_URL=server.url), said)
    assert server.requests == []


def test_a_goal_of_a_megabyte_and_one_that_is_no_text(replan) -> None:
    """Through a pipe: the system takes no argument of that size."""
    refused(replan("run", "-", input="x" * 1_000_000), "the goal has 1,000,000 characters")
    refused(replan("run", "-", input="a\0b"), "not readable text")


def test_a_goal_whose_bytes_are_no_text(inside) -> None:
    refused(inside("run", os.fsdecode(b"caf\xe9")), "not readable text", "UTF-8")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_workspace_that_may_not_be_written(inside, tmp_path: Path, server: OpenAIServer) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o555)
    done = inside("run", GOAL, "--workspace", str(closed), OPENAI_BASE_URL=server.url)
    refused(done, "closed", "writ")


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="for Linux")
def test_a_workspace_where_nobody_can_write(inside, server: OpenAIServer) -> None:
    done = inside("run", GOAL, "--workspace", "/proc/self/task", OPENAI_BASE_URL=server.url)
    refused(done, "/proc/", "writ")


def test_a_wrong_key_and_a_server_that_is_not_there(inside, server: OpenAIServer) -> None:
    wrong = inside("run", GOAL, OPENAI_BASE_URL=server.url, OPENAI_API_KEY="sk-hush-1234567890")
    refused(wrong, "refuses the key (401)", "OPENAI_API_KEY")
    refused(inside("run", GOAL, OPENAI_BASE_URL=NOBODY), f"can be reached at {NOBODY}")
    refused(inside("run", GOAL, OPENAI_BASE_URL="localhost"), "OPENAI_BASE_URL is no address")
    nothing = inside("run", GOAL, "--model", "big", OPENAI_API_KEY="")
    refused(nothing, "There are: auto, embedded", "OPENAI_BASE_URL")


def test_a_database_that_does_not_answer(inside, server: OpenAIServer) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"postgresql://me:hush@127.0.0.1:{port}/mine"
    env = {"OPENAI_BASE_URL": server.url, "DATABASE_URL": url}
    refused(inside("run", GOAL, **env), f"127.0.0.1:{port}/mine", "nothing listens there")
    refused(inside("threads", **env), "nothing listens there")


def test_a_database_without_the_vector_extension(
    inside, database: Database, server: OpenAIServer
) -> None:
    with psycopg.connect(database.url, autocommit=True) as connection:
        connection.execute("CREATE ROLE visitor LOGIN")
        connection.execute("CREATE DATABASE plain")
    url = database.url.replace("postgres@/postgres", "visitor@/plain")
    done = inside("run", GOAL, OPENAI_BASE_URL=server.url, DATABASE_URL=url)
    refused(done, "has no extension vector", "CREATE EXTENSION vector")


def test_weights_that_are_not_the_expected_ones(inside, tmp_path: Path) -> None:
    weights = tmp_path / "model.gguf"
    weights.write_bytes(b"GGUF but not the expected bytes")
    embedded = {"OPENAI_API_KEY": "", "REPLAN_CACHE": str(tmp_path / "cache")}
    refused(inside("run", GOAL, REPLAN_MODEL_PATH=str(weights), **embedded), "sha256")
    missing = str(tmp_path / "missing.gguf")
    refused(inside("run", GOAL, REPLAN_MODEL_PATH=missing, **embedded), "missing.gguf")


def test_a_thread_that_does_not_exist(inside, server: OpenAIServer) -> None:
    thread = str(uuid4())
    done = inside("resume", thread, OPENAI_BASE_URL=server.url)
    refused(done, f"there is no thread {thread}", "replan threads")
    refused(inside("resume", "mine"), "a thread's id is a UUID")


@pytest.mark.parametrize(
    "args", [["run"], ["run", GOAL, "--max-steps", "0"], ["go"], ["run", GOAL, "--max-cost", "-1"]]
)
def test_a_command_line_that_cannot_be(inside, args: list[str]) -> None:
    done = inside(*args)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("Usage: replan ")
    assert "Traceback" not in done.err
