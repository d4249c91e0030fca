"""Landlock, seccomp and resource limits: no namespaces, so it works in most containers."""

import ctypes
import os
import sys
from collections.abc import Sequence

from replan.tools.sandbox.environment import interpreter_folders
from replan.tools.sandbox.local import APART, SYSTEM, SYSTEM_FILES, LocalSandbox, Place, Plan
from replan.tools.sandbox.protocol import SandboxError
from replan.tools.sandbox.seccomp import program, rules, supported

# The first that covers truncating; signals are covered from the sixth on.
_OLDEST, _SCOPES_SIGNALS = 3, 6
# Not /dev/zero: mapped, it is memory that nobody counts. /dev/full reads the same.
_DEVICES = ("/dev/null", "/dev/full", "/dev/random", "/dev/urandom")
_FACTS = ("/proc/cpuinfo", "/proc/meminfo", "/proc/sys/vm/overcommit_memory")


class Landlock(LocalSandbox):
    """Needs Linux 6.2 with Landlock switched on."""

    name = "landlock"

    def missing(self) -> str:
        """The operating system, the machine, or Landlock in the kernel."""
        if not sys.platform.startswith("linux"):
            return "it needs Linux"
        if not supported():
            return "it needs an x86_64 or aarch64 machine"
        found = _version()
        if found >= _OLDEST:
            return ""
        have = f"it has version {found}" if found > 0 else "it has none"
        return f"it needs a kernel with Landlock version {_OLDEST} (Linux 6.2): {have}"

    def confine(self, command: Sequence[str], place: Place) -> Plan:
        """The launcher confines itself to these paths, then becomes the command.

        Raises:
            SandboxError: replan runs from a folder in the workspace. Landlock cannot take from a
                folder that can be written what lies in it.
        """
        if place.own.kept:
            raise SandboxError(
                f"code is not run here: the workspace holds {place.own.kept[0]}, from which "
                "replan itself runs, and landlock cannot keep that from being changed.",
                f"{APART} (bubblewrap could keep it.)",
            )
        wanted = rules(namespaces=False, signals_scoped=_version() >= _SCOPES_SIGNALS)
        return Plan(
            command,
            program(wanted),
            {
                "read": (*SYSTEM, *SYSTEM_FILES, *_FACTS, *interpreter_folders(), *place.read),
                "write": (str(place.workspace), str(place.scratch)),
                "devices": _DEVICES,
            },
        )


def _version() -> int:
    """The version of Landlock that the kernel offers; -1 without."""
    libc = ctypes.CDLL(None, use_errno=True)
    asked = [ctypes.c_long(444), None, ctypes.c_long(0), ctypes.c_long(1)]
    return int(libc.syscall(*asked)) if os.name == "posix" else -1
