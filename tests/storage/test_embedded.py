"""The embedded Postgres, with real processes that start it, share it, leave it and die."""

import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from replan.state.errors import DatabaseError
from replan.storage import postgres_files
from replan.storage.embedded import EmbeddedPostgres
from replan.storage.postgres_files import find_files

USER = """
import sys
from replan.storage.embedded import start_embedded
print(start_embedded(), flush=True)
exec(sys.argv[1])
"""
Start = Callable[..., subprocess.Popen[str]]
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="about running as root")


@pytest.fixture(scope="module")
def home(make_home: Callable[[], Path]) -> Path:
    """A REPLAN_HOME apart from the session's; its cluster is made by the first who needs it."""
    return make_home()


@pytest.fixture
def start(home: Path) -> Iterator[Start]:
    """Start a process that uses the database and then runs a statement."""
    started: list[subprocess.Popen[str]] = []

    def start_process(then: str, **variables: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", USER, then],
            env={**os.environ, "REPLAN_HOME": str(home), **variables},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield start_process
    for process in started:
        with suppress(ValueError):  # It ended before and was read.
            process.communicate(timeout=30)


def url_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    url = process.stdout.readline().strip()
    assert url, process.communicate()[1]
    return url


def answers(url: str) -> bool:
    try:
        with psycopg.connect(url) as connection:
            return connection.execute("SELECT 1").fetchone() == (1,)
    except psycopg.OperationalError:
        return False


def test_two_that_start_at_once_share_it_and_the_last_stops_it(start: Start) -> None:
    first, second = start("input()"), start("input()")
    url = url_of(first)
    assert url == url_of(second)
    first.communicate("\n")
    assert answers(url)
    second.communicate("\n")
    assert not answers(url)


def test_a_killed_process_does_not_keep_it_up(start: Start) -> None:
    killed = start("input()")
    url = url_of(killed)
    killed.kill()
    killed.wait()
    assert answers(url)
    start("").communicate()
    assert not answers(url)


@pytest.mark.parametrize("end", ["raise KeyboardInterrupt", "raise SystemExit(3)"])
def test_it_stops_however_the_process_ends(start: Start, end: str) -> None:
    process = start(end)
    url = url_of(process)
    process.communicate()
    assert process.returncode != 0
    assert not answers(url)


def test_ctrl_c_in_the_terminal_that_started_it_leaves_it_to_the_others(start: Start) -> None:
    starter = start("input()")
    url = url_of(starter)
    other = start("input()")
    url_of(other)
    os.killpg(starter.pid, signal.SIGINT)
    starter.communicate()
    assert answers(url)
    other.communicate("\n")
    assert not answers(url)


def test_a_forked_child_that_exits_does_not_stop_it(start: Start) -> None:
    parent = start(
        "import os\nif os.fork() == 0: sys.exit()\nos.wait()\nprint('child left')\ninput()"
    )
    url = url_of(parent)
    assert parent.stdout is not None
    assert parent.stdout.readline().strip() == "child left"
    assert answers(url)


def test_it_is_started_again_when_someone_ended_it(start: Start, home: Path) -> None:
    process = start("input()\nprint(start_embedded(), flush=True)\ninput()")
    url = url_of(process)
    EmbeddedPostgres(find_files(home))._run(
        "pg_ctl", "stop", "-D", find_files(home).data, "-m", "immediate"
    )
    assert not answers(url)
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()
    assert url_of(process) == url
    assert answers(url)
    process.communicate("\n")
    assert not answers(url)


def test_the_users_own_postgres_variables_do_not_matter(start: Start) -> None:
    process = start("input()", PGPORT="6543", PGUSER="nobody", PGDATA="/nowhere", PGDATABASE="x")
    assert answers(url_of(process))


def test_it_starts_after_a_crash_that_left_a_pid_now_used_by_another(home: Path) -> None:
    told: list[str] = []
    server = EmbeddedPostgres(find_files(home))
    server.start(told.append)
    assert told[-1] == "Starting the embedded database"
    server.leave()
    stale = server.files.data / "postmaster.pid"
    stale.write_text(
        f"{os.getpid()}\n{server.files.data}\n1\n5432\n{server.files.data}\n\n1 1\nready\n"
    )
    again = EmbeddedPostgres(find_files(home))
    again.start()
    try:
        assert answers(again.url)
    finally:
        again.leave()
    assert not answers(again.url)


def test_a_long_path_gets_a_private_socket_folder(home: Path, tmp_path: Path) -> None:
    files = find_files(home)
    deep = home / ("long" * 25)
    deep.mkdir(mode=0o711)
    moved = postgres_files.PostgresFiles(files.programs, deep, files.user)
    server = EmbeddedPostgres(moved)
    server.start()
    try:
        assert answers(server.url)
        folder = server._socket_folder()
        assert folder.parent == Path(tempfile.gettempdir())
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    finally:
        server.leave()
    folder.rmdir()
    folder.symlink_to(tmp_path)
    with pytest.raises(DatabaseError, match="belongs to someone else"):
        EmbeddedPostgres(moved).start()
    folder.unlink()


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(DatabaseError, match=r"pip install 'replan\[postgres\]'.*DATABASE_URL"):
        find_files(tmp_path)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DatabaseError, match="REPLAN_HOME"):
        find_files(tmp_path / "file" / "home")


def test_a_broken_cluster_is_reported_with_what_the_server_said(home: Path) -> None:
    files = find_files(home)
    folder = home / "broken"
    folder.mkdir(mode=0o711)
    broken = postgres_files.PostgresFiles(files.programs, folder, files.user)
    server = EmbeddedPostgres(broken)
    server.start()
    server.leave()
    (broken.data / "global" / "pg_control").unlink()
    with pytest.raises(DatabaseError, match=r"does not start: .*pg_control.*See .*server\.log"):
        EmbeddedPostgres(broken).start()


@as_root
def test_as_root_no_folder_of_the_users_is_opened(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, home: Path
) -> None:
    system = home / "system"
    monkeypatch.setattr(postgres_files, "SYSTEM_FOLDER", system)
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    before = [parent.stat().st_mode for parent in (closed, *closed.parents)]
    files = find_files(closed / "home")
    server = EmbeddedPostgres(files)
    server.start()
    try:
        assert answers(server.url)
        assert files.folder.parent == system
        assert (closed / "home" / "postgres").resolve() == files.folder
        assert find_files(closed / "home") == files
    finally:
        server.leave()
    assert [parent.stat().st_mode for parent in (closed, *closed.parents)] == before
    shutil.rmtree(files.folder)
    with pytest.raises(DatabaseError, match="is gone"):
        find_files(closed / "home")


@as_root
def test_as_root_programs_out_of_reach_are_copied(
    monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    monkeypatch.setattr(postgres_files, "SYSTEM_FOLDER", home / "programs")
    monkeypatch.setattr(postgres_files, "_others_can_read", lambda path: False)
    files = find_files(home)
    assert files.programs.is_relative_to(home / "programs")
    server = EmbeddedPostgres(files)
    server.start()
    assert answers(server.url)
    server.leave()
