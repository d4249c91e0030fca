"""`replan restore`, and `replan resume` of a thread whose workspace is gone."""

import os
import pty
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from openai_server import openai_server_in_thread
from scripted_agent import Move, ScriptedAgent

KEY = "sk-scripted-0123456789"
GOAL = "Write the word hello to hello.txt"


@pytest.fixture
def done(inside, workspace: str, thread: str) -> Iterator[str]:
    """A thread whose run wrote hello.txt beside the given given.txt."""
    Path(workspace, "given.txt").write_text("given")
    with openai_server_in_thread(
        ScriptedAgent([Move("write_file", "hello", path="hello.txt")]), key=KEY
    ) as server:
        ran = inside("run", GOAL, "--workspace", workspace, "--thread", thread,
                     "--json", OPENAI_BASE_URL=server.url)  # fmt: skip
        assert ran.result["status"] == "done"
        yield thread


def names(folder: str | Path) -> list[str]:
    return sorted(path.name for path in Path(folder).iterdir())


def test_the_files_of_the_last_checkpoint_come_back(inside, done: str, workspace: str) -> None:
    assert names(workspace) == ["given.txt", "hello.txt"]  # and nothing of ours
    shutil.rmtree(workspace)
    back = inside("restore", done, "--json")
    assert back.code == 0
    assert back.result["written"] == ["given.txt", "hello.txt"]
    assert back.result["workspace"] == workspace
    assert Path(workspace, "hello.txt").read_text().strip() == "hello"
    assert inside("restore", done).out.endswith(f"0 written, 0 removed, in {workspace}\n")


def test_changed_files_are_not_overwritten_without_a_word(
    inside, done: str, workspace: str
) -> None:
    Path(workspace, "hello.txt").write_text("by the user")
    Path(workspace, "mine.txt").write_text("by the user")
    refused = inside("restore", done)
    assert refused.code == 2
    assert "hello.txt, mine.txt" in refused.complaint
    assert "--force" in refused.complaint
    assert Path(workspace, "hello.txt").read_text() == "by the user"
    forced = inside("restore", done, "--force", "--json").result
    assert (forced["written"], forced["removed"]) == (["hello.txt"], ["mine.txt"])
    assert names(workspace) == ["given.txt", "hello.txt"]
    # What was overwritten is not lost, and nothing has to be forced now.
    undone = inside("restore", done, "--revision", forced["before"], "--json")
    assert undone.result["written"] == ["hello.txt", "mine.txt"]
    assert Path(workspace, "mine.txt").read_text() == "by the user"


def test_a_large_file_of_the_user_comes_back(inside, done: str, workspace: str) -> None:
    """Larger than the 50 MB that the run's own revisions hold."""
    mine = Path(workspace, "hello.txt")
    mine.write_bytes(b"mine" * 15_000_000)
    forced = inside("restore", done, "--force", "--json")
    assert forced.result["written"] == ["hello.txt"]
    assert f"comes back with: replan restore {done} --revision" in forced.err
    assert mine.read_text().strip() == "hello"
    inside("restore", done, "--revision", forced.result["before"])
    assert mine.read_bytes() == b"mine" * 15_000_000


def test_a_file_that_no_revision_can_keep_is_not_overwritten(
    inside, done: str, workspace: str
) -> None:
    mine = Path(workspace, "hello.txt")
    with mine.open("wb") as file:
        file.truncate(501_000_000)  # all hole
    Path(workspace, "new.txt").write_text("mine too")
    refused = inside("restore", done, "--force")
    assert refused.code == 2
    assert "no revision can keep hello.txt (501.0 MB; 500 MB are the most)" in refused.err
    assert "Move that away" in refused.err
    assert mine.stat().st_size == 501_000_000
    assert names(workspace) == ["given.txt", "hello.txt", "new.txt"]


def test_a_forced_restore_that_fails_half_way_tells_the_way_back(
    inside, done: str, workspace: str
) -> None:
    """A folder with an ignored file is where hello.txt has to be written."""
    Path(workspace, "hello.txt").unlink()
    Path(workspace, "hello.txt", ".venv").mkdir(parents=True)
    Path(workspace, "hello.txt", ".venv", "x").write_text("ignored")
    Path(workspace, "new.txt").write_text("mine")
    failed = inside("restore", done, "--force")
    assert failed.code == 1
    assert "hello.txt cannot be removed" in failed.err
    [line] = [line for line in failed.err.splitlines() if "comes back with: " in line]
    revision = line.rsplit(" ", 1)[1]
    assert not Path(workspace, "new.txt").exists()
    assert inside("restore", done, "--revision", revision).code == 0
    assert Path(workspace, "new.txt").read_text() == "mine"


def test_names_that_are_no_text_are_shown(inside, done: str, workspace: str) -> None:
    """Standard output, where it is strict, would refuse them after the work is done."""
    Path(workspace, os.fsdecode(b"caf\xe9.txt")).write_text("by the user")
    forced = inside("restore", done, "--force", "--json")
    assert forced.result["removed"] == ["caf\ufffd.txt"]


def test_into_another_folder(inside, done: str, tmp_path: Path) -> None:
    other = tmp_path / "as it was"
    assert inside("restore", done, "--workspace", str(other)).code == 0
    assert names(other) == ["given.txt", "hello.txt"]


def test_what_cannot_be_restored_is_one_line(inside, done: str, thread: str) -> None:
    for args, said in (
        ((done, "--checkpoint", "1f000000-0000-6000-8000-000000000000"), "no checkpoint"),
        ((done, "--checkpoint", "nonsense"), "no checkpoint"),
        ((done, "--checkpoint", os.fsdecode(b"\xff")), "no checkpoint"),
        ((done, "--checkpoint", "a\nb"), "no checkpoint"),
        ((done, "--revision", "nonsense"), "no revision"),
        (("00000000-0000-4000-8000-000000000000",), "no thread"),
        (("nonsense",), "UUID"),
        ((done, "--workspace", "/dev/null/x"), "cannot be made"),
    ):
        refused = inside("restore", *args)
        assert refused.code in (1, 2)
        assert said in refused.complaint


def test_help_has_examples(inside) -> None:
    said = inside("restore", "--help").out
    assert "replan restore 5f0c2a4e" in said
    for option in ("--checkpoint", "--workspace", "--force", "--revision", "--json"):
        assert f"{option} " in said


def test_resume_brings_a_workspace_back(inside, workspace: str, thread: str) -> None:
    astray = Move("python", "open('other.txt', 'w').write('astray')")
    moves = [astray, astray, Move("write_file", "hello", path="hello.txt")]
    with openai_server_in_thread(ScriptedAgent(moves), key=KEY) as server:
        env = {"OPENAI_BASE_URL": server.url}
        stopped = inside("run", GOAL, "--workspace", workspace, "--thread", thread,
                         "--max-steps", "1", "--json", **env)  # fmt: skip
        assert stopped.result["status"] == "stopped"
        shutil.rmtree(workspace)
        resumed = inside("resume", thread, "--max-steps", "9", "--json", **env)
    assert resumed.result["status"] == "done"
    assert "the workspace was gone" in resumed.err
    assert names(workspace) == ["hello.txt", "other.txt"]


@pytest.mark.parametrize(("answer", "code", "left"), [("y", 0, "hello"), ("n", 2, "by the user")])
def test_at_a_terminal_it_asks(
    done: str, workspace: str, answer: str, code: int, left: str
) -> None:
    Path(workspace, "hello.txt").write_text("by the user")
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "replan.cli.main", "restore", done],
        stdin=theirs, stdout=theirs, stderr=theirs, close_fds=True,
    )  # fmt: skip
    os.close(theirs)
    said = read_until(ours, "[y/N]")
    assert "  hello.txt" in said
    os.write(ours, f"{answer}\n".encode())
    assert process.wait(60) == code
    os.close(ours)
    assert Path(workspace, "hello.txt").read_text().strip() == left


def read_until(terminal: int, wanted: str) -> str:
    said, end = "", time.monotonic() + 60
    while wanted not in said and time.monotonic() < end:
        said += os.read(terminal, 4096).decode(errors="replace")
    return said
