"""The filter, run by an interpreter of its few instructions, for both machines."""

import errno
import struct

import pytest

from replan.tools.sandbox.seccomp import _NUMBERS, program, rules, supported

ALLOW, ERRNO, KILL = 0x7FFF0000, 0x00050000, 0x80000000
AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}


def verdict(code: bytes, number: int, arguments: tuple[int, ...], audit: int) -> int:
    """What the kernel would answer."""
    data = struct.pack("=iIQ6Q", number, audit, 0, *(*arguments, *[0] * (6 - len(arguments))))
    held, at = 0, 0
    while True:
        operation, yes, no, value = struct.unpack_from("=HBBI", code, 8 * at)
        at += 1
        if operation == 0x06:
            return int(value)
        if operation == 0x20:
            (held,) = struct.unpack_from("=I", data, value)
        elif operation == 0x54:
            held &= value
        else:
            holds = {0x15: held == value, 0x25: held > value, 0x35: held >= value}[operation]
            at += yes if holds else no


@pytest.mark.parametrize("machine", list(AUDIT))
def test_what_is_refused(machine: str) -> None:
    column = list(AUDIT).index(machine)
    wide = program(rules(namespaces=True), machine)
    narrow = program(rules(namespaces=False), machine)
    oldest = program(rules(namespaces=False, signals_scoped=False), machine)

    def said(code: bytes, name: str, *arguments: int) -> int:
        number = _NUMBERS[name][column]
        assert number is not None
        return verdict(code, number, arguments, AUDIT[machine])

    for code in (wide, narrow):
        assert said(code, "ptrace") == ERRNO | errno.EPERM
        assert said(code, "memfd_create") == ERRNO | errno.ENOSYS
        assert said(code, "clone", 0x10000000 | 17) == ERRNO | errno.EPERM
        assert said(code, "clone", 0x8000 | 17) == ERRNO | errno.EPERM
        assert said(code, "clone", 17) == ALLOW
        assert said(code, "prctl", 36) == ERRNO | errno.EPERM
        assert said(code, "prctl", 15) == ALLOW
        for name in ("shmat", "shmctl", "semop", "semctl", "msgsnd", "msgrcv", "msgctl"):
            assert said(code, name) == ERRNO | errno.EPERM
        assert said(code, "setpriority", 0, 0) == ALLOW
        assert said(code, "setpriority", 2, 0) == ERRNO | errno.EPERM
        assert said(code, "ioprio_set", 1, 0) == ALLOW
        assert said(code, "ioprio_set", 3, 0) == ERRNO | errno.EPERM
        assert said(code, "mmap", 0, 4096, 3, 0x21) == ERRNO | errno.EPERM
        assert said(code, "mmap", 0, 4096, 3, 0x22) == ALLOW
        assert said(code, "mmap", 0, 4096, 3, 0x1, 5) == ALLOW
        assert said(code, "setsockopt", 3, 1, 7) == ERRNO
        assert said(code, "setsockopt", 3, 1, 2) == ALLOW
        assert said(code, "fcntl", 3, 8) == ALLOW
        assert said(code, "ioctl", 0, 0x5412) == ERRNO | errno.EPERM
        assert said(code, "ioctl", 0, 0x5413) == ALLOW
        assert said(code, "prlimit64", 0) == ALLOW
        assert said(code, "prlimit64", 7) == ERRNO | errno.EPERM
        assert said(code, "socketpair", 1, 1 | 0o2000000) == ALLOW
        assert said(code, "socketpair", 1, 2) == ERRNO | errno.EACCES
        assert said(code, "openat", 0, 0, 0o100, 0o4755) == ERRNO | errno.EPERM
        assert said(code, "openat", 0, 0, 0, 0o4755) == ALLOW
        assert said(code, "fchmodat", 0, 0, 0o2755) == ERRNO | errno.EPERM
        assert verdict(code, 9999, (), AUDIT[machine]) == ERRNO | errno.ENOSYS
        assert verdict(code, 3, (), 0x40000003) == KILL
    for family, held in ((1, True), (2, False), (10, False), (16, True), (40, True)):
        assert (said(wide, "socket", family) != ALLOW) is held
        assert said(narrow, "socket", family) == ERRNO | errno.EACCES
    assert said(wide, "fchmodat", 0, 0, 0o755) == ALLOW
    assert said(narrow, "fchmodat", 0, 0, 0o755) == ERRNO
    assert said(narrow, "setsid") == ERRNO
    assert said(narrow, "kill", 1, 9) == ALLOW
    assert said(oldest, "kill", 1, 9) == ERRNO | errno.EPERM
    for request in (8, 10, 15):
        assert said(oldest, "fcntl", 3, request) == ERRNO | errno.EPERM
    assert said(oldest, "ioctl", 3, 0x8901) == ERRNO | errno.EPERM
    assert said(oldest, "fcntl", 3, 4) == ALLOW
    assert said(narrow, "inotify_add_watch") == ERRNO | errno.EACCES
    assert said(wide, "inotify_add_watch") == ALLOW


def test_other_ways_into_the_kernel() -> None:
    code = program(rules(namespaces=True), "x86_64")
    assert verdict(code, 0x40000000 | 101, (), AUDIT["x86_64"]) == KILL
    assert not supported("riscv64")
