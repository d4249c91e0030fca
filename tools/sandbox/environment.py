"""The sandbox's own Python environment: data packages and pytest, nothing else of the agent's.

Made offline and once, from the distributions that are installed beside replan: a virtual
environment in the cache folder, its files copied, in a folder named after the versions. Inside a
sandbox it is read-only.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from functools import lru_cache
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement

from replan.state.settings import settings
from replan.tools.packages import PACKAGES
from replan.tools.sandbox.file_functions import VARIABLE
from replan.tools.sandbox.functions import HANDLE
from replan.tools.sandbox.protocol import SandboxError

_VARIABLES = Path(__file__).with_name("variables.py")
_FUNCTIONS = Path(__file__).with_name("functions.py")
_FILE_FUNCTIONS = Path(__file__).with_name("file_functions.py")
# What a variable of the environment asks for; what comes later takes the names of the one before.
_WHERE_USED = {VARIABLE: "replan_file_functions", HANDLE: "replan_functions"}
_BUILD_SECONDS = 300
# Of an environment: one made in another way is not taken for it.
_LAYOUT = "copied"


class PythonEnvironment:
    """A finished environment.

    Attributes:
        folder: of the virtual environment, named by its content.
        python: its interpreter.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.python = folder / "bin" / "python"

    @property
    def fonts(self) -> list[Path]:
        """The lists of fonts that matplotlib would take a second to make."""
        return sorted((self.folder / "matplotlib").glob("fontlist-*.json"))


@lru_cache
def interpreter_folders() -> tuple[str, ...]:
    """What of the interpreter has to be readable: its binary, standard library and libraries.

    Not the whole prefix: it may hold other environments.
    """
    prefix, binary = Path(sys.base_prefix), _interpreter()
    found = [prefix / "bin", prefix / "lib", prefix / "lib64", binary.parent]
    found += [Path(sysconfig.get_path("stdlib")), Path(sysconfig.get_path("platstdlib"))]
    paths = [path for place in found for path in (place, place.resolve()) if path.is_dir()]
    return tuple(dict.fromkeys(map(str, paths)))


def python_environment() -> PythonEnvironment:
    """The environment for what is installed now; made when it is not there yet. Blocks.

    Raises:
        SandboxError: it cannot be made: the cache folder is full or not writable.
    """
    return _environment(str(settings().replan_cache))


@lru_cache
def _environment(cache: str) -> PythonEnvironment:
    distributions = _closure()
    key = json.dumps(
        [
            _LAYOUT,
            sys.version,
            str(_interpreter()),
            sorted((name, found.version) for name, found in distributions.items()),
            _VARIABLES.read_text("utf-8"),
            _FUNCTIONS.read_text("utf-8"),
            _FILE_FUNCTIONS.read_text("utf-8"),
        ]
    )
    folder = Path(cache) / "sandbox" / hashlib.sha256(key.encode()).hexdigest()[:16]
    if not folder.is_dir():
        try:
            _make(folder, list(distributions.values()))
        except (OSError, subprocess.SubprocessError) as error:
            raise SandboxError(
                f"the sandbox's Python environment cannot be made in {folder.parent}: {error}.",
                "Make room there, or set REPLAN_CACHE to another folder.",
            ) from error
    return PythonEnvironment(folder)


def _interpreter() -> Path:
    return Path(getattr(sys, "_base_executable", "") or sys.executable).resolve()


def _closure() -> dict[str, Distribution]:
    """The wanted distributions that are installed, and what they require."""
    found: dict[str, Distribution] = {}
    waiting = list(dict.fromkeys(PACKAGES.values()))
    while waiting:
        name = waiting.pop().lower().replace("_", "-")
        if name in found:
            continue
        try:
            found[name] = distribution(name)
        except PackageNotFoundError:
            continue
        for line in found[name].requires or ():
            requirement = Requirement(line)
            if not requirement.marker or requirement.marker.evaluate({"extra": ""}):
                waiting.append(requirement.name)
    return found


def _make(folder: Path, distributions: list[Distribution]) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=".making-", dir=folder.parent))
    try:
        made.chmod(0o755)
        _lay_out(made, distributions)
        # Renamed when complete: somebody else may be making the same.
        try:
            made.rename(folder)
        except OSError:
            if not folder.is_dir():
                raise
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _lay_out(folder: Path, distributions: list[Distribution]) -> None:
    interpreter = _interpreter()
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    packages = folder / "lib" / version / "site-packages"
    packages.mkdir(parents=True)
    (folder / "bin").mkdir()
    for name in ("python", "python3", version):
        (folder / "bin" / name).symlink_to(interpreter)
    told = f"home = {interpreter.parent}\ninclude-system-site-packages = false\n"
    (folder / "pyvenv.cfg").write_text(told, "utf-8")
    made: set[Path] = set()
    for found in distributions:
        for source, relative in _files(found):
            target = packages / relative
            if target.parent not in made:
                target.parent.mkdir(parents=True, exist_ok=True)
                made.add(target.parent)
            if not target.exists():
                # Never linked: whoever could write the one would write the agent's own package.
                shutil.copy2(source, target)
    shutil.copyfile(_VARIABLES, packages / "replan_variables.py")
    shutil.copyfile(_FUNCTIONS, packages / "replan_functions.py")
    shutil.copyfile(_FILE_FUNCTIONS, packages / "replan_file_functions.py")
    lines = ["import replan_variables; replan_variables.install()"]
    # The others only where they are used: every script waits for them.
    for variable, module in _WHERE_USED.items():
        installs = f"__import__('{module}').install()"
        lines.append(f"import os; '{variable}' in os.environ and {installs}")
    (packages / "replan.pth").write_text("".join(f"{line}\n" for line in lines), "utf-8")
    _warm(folder, packages)


def _files(found: Distribution) -> Iterator[tuple[Path, Path]]:
    """Each file with its place below site-packages; their tests are left out."""
    for file in found.files or ():
        relative = Path(file)
        if relative.is_absolute() or ".." in relative.parts or "tests" in relative.parts[1:-1]:
            continue
        source = Path(str(found.locate_file(file)))
        if source.is_file():
            yield source, relative


def _warm(folder: Path, packages: Path) -> None:
    """Compile what the installer left uncompiled, and have matplotlib find the fonts."""
    environment = {
        "PATH": os.defpath,
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "MPLCONFIGDIR": str(folder / "matplotlib"),
    }
    python = str(folder / "bin" / "python")
    commands = [[python, "-m", "compileall", "-q", str(packages)]]
    if (packages / "matplotlib").is_dir():
        commands.append([python, "-c", "import matplotlib.font_manager"])
    for command in commands:
        subprocess.run(
            command,
            env=environment,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=_BUILD_SECONDS,
            check=False,
        )
