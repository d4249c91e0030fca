"""What goes wrong around a run: one line, nothing lost, nothing left behind, and on with resume."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from openai_server import Reply, openai_server_in_thread
from scripted_agent import Move, ScriptedAgent

from replan.storage.embedded import EmbeddedPostgres
from replan.storage.postgres_files import find_files

# Whether hello.txt is to be written has to be asked: the goal could be plainer.
GOAL = "I need hello.txt with the word hello"
WRITE = Move("write_file", "hello", path="hello.txt")
ELSEWHERE = Move("python", "open('other.txt', 'w').write('elsewhere')")
KEY = "sk-scripted-0123456789"


@pytest.fixture
def postgres(make_home: Callable[[], Path]) -> Iterator[EmbeddedPostgres]:
    """An embedded Postgres of the test's own, that can be killed."""
    server = EmbeddedPostgres(find_files(make_home()))
    server.start()
    yield server
    server.leave()


@pytest.fixture
def home(postgres: EmbeddedPostgres) -> str:
    return str(postgres.files.folder.parent)


def postmaster(postgres: EmbeddedPostgres) -> int:
    return int((postgres.files.data / "postmaster.pid").read_text().split()[0])


def killed(postgres: EmbeddedPostgres) -> None:
    """As by a crash of the machine's memory: no connection is ended in good order."""
    process = psutil.Process(postmaster(postgres))
    parts = [process, *process.children()]
    for part in parts:
        part.kill()
    psutil.wait_procs(parts, timeout=10)


def restarted(postgres: EmbeddedPostgres) -> None:
    done = postgres._run("pg_ctl", "restart", "-D", postgres.files.data, "-m", "immediate", "-w",
                         "-l", postgres.files.log)  # fmt: skip
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("fault", [killed, restarted])
@pytest.mark.parametrize("point", ["decompose", "select_tool", "content", "report"])
def test_a_database_that_fails_in_mid_run_costs_one_call_at_most(
    inside,
    postgres: EmbeddedPostgres,
    home: str,
    workspace: str,
    thread: str,
    point: str,
    fault: Callable[[EmbeddedPostgres], None],
) -> None:
    # Asked again, it answers the same.
    model = ScriptedAgent(lambda prompt: WRITE if "other.txt" in prompt else ELSEWHERE)
    faults = [fault]

    def answer(body: dict[str, Any]) -> Reply:
        reply = model(body)
        if faults and model.asked[-1] == point:
            faults.pop()(postgres)
        return reply

    with openai_server_in_thread(answer, key=KEY) as server:
        env = {"OPENAI_BASE_URL": server.url, "REPLAN_HOME": home}
        failed = inside("run", GOAL, "--workspace", workspace, "--thread", thread, **env)
        assert not faults
        assert (failed.code, failed.out) == (2, "")
        assert "the database stopped answering" in failed.complaint
        assert "replan resume" in failed.complaint
        asked = list(model.asked)
        done = inside("resume", thread, "--json", **env)
        assert done.code == 0, done.err
    assert done.result["status"] == "done"
    assert done.result["usage"]["steps"] == 2
    assert (Path(workspace) / "hello.txt").read_text() == "hello\n"
    # The call whose answer could not be written down is asked for again, and no other one.
    whole = ["decompose", *["select_tool", "content"] * 2, "report", "remember"]
    assert asked[-1] == point
    assert sorted(model.asked) == sorted([*whole, point])


def test_a_server_that_asks_to_wait_too_long_ends_the_run_at_once(
    inside, workspace: str, thread: str
) -> None:
    model, busy = ScriptedAgent([WRITE]), [True]

    def answer(body: dict[str, Any]) -> Reply:
        reply = model(body)
        if busy and model.asked[-1] == "select_tool":
            return Reply(status=429, content="slow down", headers={"Retry-After": "100"})
        return reply

    with openai_server_in_thread(answer, key=KEY) as server:
        url = {"OPENAI_BASE_URL": server.url}
        args = ("--workspace", workspace, "--thread", thread, "--max-seconds", "60")
        failed = inside("run", GOAL, *args, **url)
        assert (failed.code, failed.out) == (2, "")
        assert failed.seconds < 30
        assert "(429): slow down" in failed.complaint
        assert "resumed in 100 s, at 20" in failed.complaint
        assert model.asked.count("select_tool") == 1
        busy.clear()
        assert inside("resume", thread, **url).code == 0


def test_a_run_without_room_for_a_call_goes_on_with_more_only(
    inside, workspace: str, thread: str
) -> None:
    with openai_server_in_thread(ScriptedAgent([WRITE]), key=KEY) as server:
        url = {"OPENAI_BASE_URL": server.url}
        args = ("--workspace", workspace, "--thread", thread, "--max-tokens", "200", "--json")
        stopped = inside("run", GOAL, *args, **url)
        assert (stopped.code, stopped.result["status"]) == (1, "stopped")
        assert "200 tokens (--max-tokens)" in stopped.result["report"]
        assert server.requests == []
        for given in ((), ("--max-tokens", "200"), ("--max-tokens", "100")):
            still = inside("resume", thread, *given, **url)
            assert still.code == 2
            assert "(--max-tokens) is reached" in still.complaint
        more = inside("resume", thread, "--max-tokens", "0", "--json", **url)
        assert more.code == 0, more.err
        assert more.result["status"] == "done"


def test_sigterm_during_a_tool_call_leaves_no_process_and_the_run_resumable(
    replan, inside, workspace: str, thread: str
) -> None:
    mark = f"mark-{thread}"
    endless = (
        "import subprocess, sys, time\n"
        "code = 'import time; time.sleep(99)'\n"
        f"child = subprocess.Popen([sys.executable, '-c', code, '{mark}'])\n"
        "open('begun.txt', 'w').write('begun')\n"
        "time.sleep(99)"
    )
    moves = iter([Move("python", endless), WRITE, WRITE])
    model = ScriptedAgent(lambda prompt: next(moves))
    with openai_server_in_thread(model, key=KEY) as server:
        url = {"OPENAI_BASE_URL": server.url}
        running = replan.start(
            "run", GOAL, "--workspace", workspace, "--thread", thread, "--set",
            "max_call_seconds=3", **url,
        )  # fmt: skip
        wait_until(lambda: (Path(workspace) / "begun.txt").exists() and marked(mark))
        below = psutil.Process(running.pid).children(recursive=True)
        began = time.monotonic()
        os.kill(running.pid, signal.SIGTERM)
        _, err = running.communicate(timeout=20)
        assert time.monotonic() - began < 5
        assert running.returncode == 130
        assert f"replan resume {thread}" in err.strip().splitlines()[-1]
        assert "Traceback" not in err
        _, alive = psutil.wait_procs(below, timeout=5)
        assert [process.name() for process in alive if "postgres" not in process.name()] == []
        assert not marked(mark)
        asked = len(model.asked)
        done = inside("resume", thread, "--json", **url)
        assert done.code == 0, done.err
    # The call was interrupted, not the choice of it: that is not asked for again.
    assert asked == 3
    assert done.result["status"] == "done"
    assert (Path(workspace) / "hello.txt").read_text() == "hello\n"
    assert not marked(mark)


def marked(mark: str) -> list[int]:
    """The processes with a mark in their command line."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        command = process.info["cmdline"] or []
        if mark in command and process.pid != os.getpid():
            found.append(process.pid)
    return found


def wait_until(holds: Callable[[], Any]) -> None:
    end = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < end, "it does not come to that"
        time.sleep(0.05)
