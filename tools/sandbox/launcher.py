"""Confines its own process, then becomes the command. Run as a file, not imported.

`python -I -S launcher.py SPEC COMMAND...`, SPEC being marshalled, in hexadecimal. A program of its
own because code between fork and exec (`preexec_fn`) can deadlock in a process with threads. What
it cannot set up ends it: nothing runs with less confinement than was asked for. It imports little:
every call waits for it.
"""

import marshal
import os
import resource
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_PR_SET_PDEATHSIG, _PR_CAPBSET_DROP, _PR_SET_SECCOMP = 1, 24, 22
_PR_SET_SECUREBITS, _PR_SET_CHILD_SUBREAPER, _PR_SET_NO_NEW_PRIVS = 28, 36, 38
_PR_CAP_AMBIENT, _CLEAR_ALL = 47, 4
# Sockets hold memory that is nobody's.
_HANDLES = 1024
# Root gains nothing by being root, and that cannot be undone.
_NO_ROOT = 0x0F
# execute, write, read, truncate, ioctl: what a rule for a file may name.
_OF_FILES = 0x1 | 0x2 | 0x4 | 0x4000 | 0x8000
_READ = 0x1 | 0x4 | 0x8
_DEVICE = 0x2 | 0x4
# All of it except the making of devices and sockets, and device control.
_WRITE = 0x7FFF & ~(0x40 | 0x200 | 0x800)


def _limit(kind: int, soft: int, hard: int) -> None:
    allowed = resource.getrlimit(kind)[1]
    if allowed != resource.RLIM_INFINITY:
        soft, hard = min(soft, allowed), min(hard, allowed)
    # macOS has no limit of the address space.
    try:
        resource.setrlimit(kind, (soft, hard))
    except (ValueError, OSError):
        pass


def _limits(limits: dict[str, int]) -> None:
    _limit(resource.RLIMIT_CORE, 0, 0)
    # The soft limit sends SIGXCPU, which tells the reason. Code may ignore it: who watches the
    # tree then ends it, and tells the reason, before the hard one kills.
    _limit(resource.RLIMIT_CPU, limits["cpu_seconds"], limits["cpu_seconds"] + 5)
    _limit(resource.RLIMIT_NOFILE, _HANDLES, _HANDLES)
    _limit(resource.RLIMIT_FSIZE, limits["file_bytes"], limits["file_bytes"])
    _limit(resource.RLIMIT_AS, limits["address_bytes"], limits["address_bytes"])
    if limits["tasks"]:
        _limit(resource.RLIMIT_NPROC, limits["tasks"], limits["tasks"])


def _die_with(parent: int) -> None:
    """Ask the kernel to end this process when its parent dies, however it dies."""
    if not sys.platform.startswith("linux"):
        return
    try:
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, 9, 0, 0, 0)
    except (ImportError, OSError, AttributeError):
        return
    if os.getppid() != parent:
        sys.exit(1)


class _Kernel:
    """System calls without a wrapper in the standard library; each raises OSError."""

    def __init__(self) -> None:
        import ctypes
        import struct

        self.ctypes, self.pack = ctypes, struct.pack
        self._libc = ctypes.CDLL(None, use_errno=True)

    def prctl(self, option: int, *values: "Any") -> None:
        given = [self.ctypes.c_ulong(v) if isinstance(v, int) else v for v in values]
        given += [self.ctypes.c_ulong(0)] * (4 - len(given))
        self._check(self._libc.prctl(option, *given), f"prctl {option}")

    def call(self, number: int, *values: "Any") -> int:
        given = [self.ctypes.c_long(v) if isinstance(v, int) else v for v in values]
        return self._check(self._libc.syscall(self.ctypes.c_long(number), *given), f"call {number}")

    def capset(self) -> None:
        header = self.pack("=Ii", 0x20080522, 0)
        self._check(self._libc.capset(header, bytes(24)), "capset")

    def _check(self, result: int, what: str) -> int:
        if result < 0:
            number = self.ctypes.get_errno()
            raise OSError(number, f"{what}: {os.strerror(number)}")
        return result


def _landlock(kernel: _Kernel, rules: "dict[str, Any]") -> None:
    version = kernel.call(_CREATE_RULESET, None, 0, 1)
    handled = 0x7FFF if version < 5 else 0xFFFF
    attributes = kernel.pack("=QQQ", handled, 3 if version >= 4 else 0, 3 if version >= 6 else 0)
    size = 8 if version < 4 else 16 if version < 6 else 24
    ruleset = kernel.call(_CREATE_RULESET, attributes, size, 0)
    for paths, rights in (
        (rules["read"], _READ),
        (rules["write"], _WRITE),
        (rules["devices"], _DEVICE),
    ):
        for path in paths:
            try:
                place = os.open(path, os.O_PATH | os.O_CLOEXEC)
            except FileNotFoundError:
                continue
            folder = os.path.isdir(path)
            allowed = rights if folder else rights & _OF_FILES
            kernel.call(_ADD_RULE, ruleset, 1, kernel.pack("=Qi", allowed, place), 0)
            os.close(place)
    kernel.call(_RESTRICT_SELF, ruleset, 0)
    os.close(ruleset)


def _drop_root(kernel: _Kernel) -> None:
    """Without capabilities root is the owner of root's files, no more."""
    if os.geteuid() != 0:
        return
    try:
        for capability in range(64):
            kernel.prctl(_PR_CAPBSET_DROP, capability)
    except OSError:  # there is no such capability: that was the last
        pass
    kernel.prctl(_PR_SET_SECUREBITS, _NO_ROOT)
    kernel.prctl(_PR_CAP_AMBIENT, _CLEAR_ALL)
    kernel.capset()


def _seccomp(kernel: _Kernel, program: bytes) -> None:
    held = kernel.ctypes.create_string_buffer(program, len(program))
    address = kernel.ctypes.addressof(held)
    pointer = kernel.pack("@HP", len(program) // 8, address)
    kernel.prctl(_PR_SET_SECCOMP, 2, kernel.ctypes.c_char_p(pointer))


def _hand_on(program: bytes) -> str:
    """A file descriptor from which the next program reads the filter."""
    out, into = os.pipe()
    os.write(into, program)
    os.close(into)
    os.set_inheritable(out, True)
    return str(out)


def main() -> None:
    """Set up what SPEC says and run the command in place of this program."""
    spec, command = marshal.loads(bytes.fromhex(sys.argv[1])), sys.argv[2:]
    if spec["parent"]:
        _die_with(spec["parent"])
    _limits(spec["limits"])
    os.nice(spec["niceness"])
    program = spec["seccomp"]
    if spec["landlock"]:
        kernel = _Kernel()
        # Orphans stay below this process, where they are found.
        kernel.prctl(_PR_SET_CHILD_SUBREAPER, 1)
        _drop_root(kernel)
        kernel.prctl(_PR_SET_NO_NEW_PRIVS, 1)
        _landlock(kernel, spec["landlock"])
        _seccomp(kernel, program)
    elif program:
        handle = _hand_on(program)
        command = [handle if part == "{seccomp}" else part for part in command]
    os.execvp(command[0], command)


if __name__ == "__main__":
    main()
