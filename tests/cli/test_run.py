"""`replan run`, `resume` and `threads` as a user has them."""

import json
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
from openai_server import Reply, openai_server_in_thread
from scripted_agent import Move, ScriptedAgent

from replan.storage.database import Database

# Whether hello.txt is to be written has to be asked: the goal could be plainer.
GOAL = "I need hello.txt with the word hello"
WRITE = Move("write_file", "hello", path="hello.txt")
ELSEWHERE = Move("python", "print('elsewhere')")
KEY = "sk-scripted-0123456789"
USAGE = {"model_calls", "input_tokens", "output_tokens", "cost_usd", "seconds", "steps"}


def test_a_goal_from_start_to_end(replan, inside, workspace: str, thread: str) -> None:
    with openai_server_in_thread(ScriptedAgent([WRITE], report="Written."), key=KEY) as server:
        args = ("--workspace", workspace, "--thread", thread)
        done = replan("run", GOAL, *args, "--json", OPENAI_BASE_URL=server.url)
        assert done.code == 0, done.err
        result = done.result
        assert (result["status"], result["report"]) == ("done", "Written.")
        assert result["thread_id"] == thread
        assert result["checkpoint_id"]
        assert [artifact["path"] for artifact in result["artifacts"]] == ["hello.txt"]
        assert set(result["usage"]) >= USAGE
        assert result["usage"]["model_calls"] == len(server.requests)
        assert (Path(workspace) / "hello.txt").read_text() == "hello\n"
        for line in done.err.splitlines():
            assert line.startswith("["), done.err
        assert KEY not in done.out + done.err

        # Nothing is left to do; the result is told again, and no model is asked.
        asked = len(server.requests)
        again = inside("resume", thread, "--json", OPENAI_BASE_URL=server.url)
        assert (again.code, again.result) == (0, result)
        assert len(server.requests) == asked

    listed = inside("threads", "--limit", "1", "--json")
    [row] = json.loads(listed.out)
    assert (row["thread_id"], row["status"], row["goal"]) == (thread, "done", GOAL)
    [head, line] = inside("threads", "--limit", "1").out.splitlines()
    assert head.split() == ["thread", "status", "updated", "goal"]
    assert line.split()[:2] == [thread, "done"]
    assert line.rstrip().endswith(GOAL)


def test_the_report_for_a_person_and_a_goal_from_standard_input(replan, workspace: str) -> None:
    with openai_server_in_thread(ScriptedAgent([WRITE], report="Written."), key=KEY) as server:
        env = {"OPENAI_BASE_URL": server.url}
        done = replan("run", "-", "--workspace", workspace, input=f"{GOAL}\n", **env)
    assert (done.code, done.out) == (0, "Written.\n")
    assert "created: hello.txt" in done.err
    assert "done: 1 steps" in done.err


def test_a_stopped_run_goes_on_with_more(inside, workspace: str, thread: str) -> None:
    model = ScriptedAgent([ELSEWHERE, WRITE])
    with openai_server_in_thread(model, key=KEY) as server:
        args = ("--workspace", workspace, "--thread", thread, "--max-steps", "1")
        stopped = inside("run", GOAL, *args, "--json", OPENAI_BASE_URL=server.url)
        assert stopped.code == 1
        assert stopped.result["status"] == "stopped"
        assert "--max-steps" in stopped.result["report"]

        still = inside("resume", thread, OPENAI_BASE_URL=server.url)
        assert still.code == 2
        assert "1 steps (--max-steps) is reached" in still.complaint

        more = inside("resume", thread, "--max-steps", "5", "--json", OPENAI_BASE_URL=server.url)
        assert more.code == 0, more.err
        assert more.result["usage"]["steps"] == 2
        assert more.result["workspace"] == workspace


def test_an_interrupted_run_says_how_to_go_on(replan, inside, workspace: str, thread: str) -> None:
    model = ScriptedAgent([WRITE])
    slow = [True]

    def answer(body: dict[str, Any]) -> Reply:
        reply = model(body)
        reply.delay = 5.0 if slow and model.asked[-1] == "select_tool" else 0.0
        return reply

    with openai_server_in_thread(answer, key=KEY) as server:
        url = {"OPENAI_BASE_URL": server.url}
        running = replan.start(
            "run", GOAL, "--workspace", workspace, "--thread", thread, "--json", **url
        )
        wait_until(lambda: "select_tool" in model.asked)
        refused = inside("resume", thread, **url)
        assert refused.code == 2
        assert "running elsewhere" in refused.complaint
        assert interrupt(running, signal.SIGINT) == interrupted(thread)

        again = inside("run", GOAL, "--thread", thread, **url)
        assert again.code == 2
        assert f"replan resume {thread}" in again.complaint

        # What ends a service or a container does no more harm than Ctrl-C.
        asked = len(model.asked)
        running = replan.start("resume", thread, "--json", **url)
        wait_until(lambda: "select_tool" in model.asked[asked:])
        assert interrupt(running, signal.SIGTERM) == interrupted(thread)

        slow.clear()
        done = inside("resume", thread, "--json", **url)
    assert done.code == 0, done.err
    assert done.result["usage"]["steps"] == 1
    assert (Path(workspace) / "hello.txt").read_text() == "hello\n"
    assert model.asked.count("decompose") == 1  # What was done before is not done again.


def test_nothing_is_to_be_resumed_before_the_run_has_begun(replan, thread: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/v1"
        running = replan.start("run", GOAL, "--thread", thread, OPENAI_BASE_URL=url)
        silent.settimeout(30)
        connection, _ = silent.accept()
        said = interrupt(running, signal.SIGINT)
        connection.close()
    assert said == (130, "", "replan: interrupted before the run began.")


def test_a_model_that_never_answers_usably_can_be_replaced(
    inside, workspace: str, thread: str
) -> None:
    args = ("--workspace", workspace, "--thread", thread, "--json")
    with openai_server_in_thread(lambda body: Reply(refusal="I cannot."), key=KEY) as server:
        failed = inside("run", GOAL, *args, OPENAI_BASE_URL=server.url)
        assert failed.code == 1
        assert failed.result["status"] == "failed"
        assert "refusal" in failed.result["report"]
        assert "3 attempts" in failed.complaint
    with openai_server_in_thread(ScriptedAgent([WRITE]), key=KEY, models=["other"]) as server:
        done = inside("resume", thread, "--json", "--model", "other", OPENAI_BASE_URL=server.url)
        assert done.code == 0, done.err
        assert done.result["status"] == "done"


def test_a_server_that_fails_in_mid_run_leaves_the_thread_resumable(
    inside, workspace: str, thread: str
) -> None:
    model = ScriptedAgent([WRITE])
    gone = [True]

    def answer(body: dict[str, Any]) -> Reply:
        name = body.get("response_format", {}).get("json_schema", {}).get("name")
        return Reply(status=401, content="revoked") if gone and name != "decompose" else model(body)

    with openai_server_in_thread(answer, key=KEY) as server:
        args = ("--workspace", workspace, "--thread", thread)
        failed = inside("run", GOAL, *args, OPENAI_BASE_URL=server.url)
        assert (failed.code, failed.out) == (2, "")
        assert "refuses the key (401)" in failed.complaint
        assert failed.complaint.endswith(f"Go on with: replan resume {thread}")
        again = inside("resume", thread, "--json", OPENAI_BASE_URL=server.url)
        assert (again.code, again.result["status"]) == (2, "failed")
        assert "refuses the key (401)" in again.result["report"]
        assert again.result["thread_id"] == thread
        gone.clear()
        assert inside("resume", thread, OPENAI_BASE_URL=server.url).code == 0


def test_a_database_that_goes_away_in_mid_run_is_no_traceback(
    inside, database: Database, workspace: str, thread: str
) -> None:
    model = ScriptedAgent([WRITE])
    cut = [True]

    def answer(body: dict[str, Any]) -> Reply:
        reply = model(body)
        if cut and model.asked[-1] == "select_tool":
            with psycopg.connect(database.url, autocommit=True) as connection:
                connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
                )
        return reply

    with openai_server_in_thread(answer, key=KEY) as server:
        args = ("--workspace", workspace, "--thread", thread)
        failed = inside("run", GOAL, *args, OPENAI_BASE_URL=server.url)
        assert (failed.code, failed.out) == (2, "")
        assert "the database stopped answering" in failed.err
        assert f"replan resume {thread}" in failed.complaint
        assert "Traceback" not in failed.err
        cut.clear()
        done = inside("resume", thread, OPENAI_BASE_URL=server.url)
        assert done.code == 0, done.err


def test_a_workspace_that_goes_away_in_mid_run_is_not_done(
    inside, workspace: str, thread: str
) -> None:
    model = ScriptedAgent([WRITE])

    def answer(body: dict[str, Any]) -> Reply:
        reply = model(body)
        if model.asked[-1] == "decompose":
            shutil.rmtree(workspace)
        return reply

    with openai_server_in_thread(answer, key=KEY) as server:
        args = ("--workspace", workspace, "--thread", thread)
        failed = inside("run", GOAL, *args, OPENAI_BASE_URL=server.url)
    assert failed.code == 2
    assert f"{workspace} is gone" in failed.complaint
    assert f"replan resume {thread}, or replan restore {thread}" in failed.complaint


def wait_until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < end, "it does not come to that"
        time.sleep(0.05)


def interrupt(running: "subprocess.Popen[str]", sent: signal.Signals) -> tuple[int, str, str]:
    """Exit code, standard output, and the last line of standard error."""
    running.send_signal(sent)
    out, err = running.communicate(timeout=20)
    assert "Traceback" not in err
    return running.returncode, out, err.strip().splitlines()[-1]


def interrupted(thread: str) -> tuple[int, str, str]:
    said = f"replan: interrupted; nothing is lost. Resume with: replan resume {thread}"
    return 130, "", said
