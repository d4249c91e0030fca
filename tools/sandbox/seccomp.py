"""Builds the seccomp filter: which system calls are refused, as a classic BPF program.

A list of what is refused: numerical libraries use too many calls for a list of what is allowed.
Calls newer than the newest one known here do not exist for the sandbox. Written by hand because
the bindings of libseccomp need the library of the system.
"""

# ruff: noqa: SIM905 (long lists of names read better as text)

import errno
import platform
import struct
from collections.abc import Sequence
from dataclasses import dataclass

_ALLOW = 0x7FFF0000
_KILL = 0x80000000
_NEWEST = 456
_X32 = 0x40000000
_AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_AF_UNIX, _AF_INET, _AF_INET6, _SOCK_STREAM = 1, 2, 10, 1
# NEWTIME, NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET
_NAMESPACES = 0x7E020080
# A child of one's own parent would be out of one's tree.
_CLONE_PARENT = 0x8000
_PR_SET_CHILD_SUBREAPER = 36
_SHARED, _ANONYMOUS, _KIND_OF_MAP = 0x1, 0x20, 0xF
_SOL_SOCKET, _SO_BUFFERS = 1, (7, 8, 32, 33)
# Whom to tell of input, and by which signal: F_SETOWN, F_SETSIG, F_SETOWN_EX; FIOSETOWN, SIOCSPGRP.
_TOLD_BY_SIGNAL = (8, 10, 15), (0x8901, 0x8902)
_SET_ID = 0o6000
_CREATES = 0o100

# Numbers on x86_64 and aarch64; None where there is no such call.
_NUMBERS: dict[str, tuple[int | None, int | None]] = {
    "acct": (163, 89),
    "add_key": (248, 217),
    "adjtimex": (159, 171),
    "bind": (49, 200),
    "bpf": (321, 280),
    "chmod": (90, None),
    "chown": (92, None),
    "chroot": (161, 51),
    "clock_adjtime": (305, 266),
    "clock_settime": (227, 112),
    "clone": (56, 220),
    "clone3": (435, 435),
    "connect": (42, 203),
    "creat": (85, None),
    "delete_module": (176, 106),
    "fanotify_init": (300, 262),
    "fcntl": (72, 25),
    "fchmod": (91, 52),
    "fchmodat": (268, 53),
    "fchmodat2": (452, 452),
    "fchown": (93, 55),
    "fchownat": (260, 54),
    "finit_module": (313, 273),
    "fremovexattr": (199, 16),
    "fsconfig": (431, 431),
    "fsetxattr": (190, 7),
    "fsmount": (432, 432),
    "fsopen": (430, 430),
    "fspick": (433, 433),
    "futimesat": (261, None),
    "init_module": (175, 105),
    "inotify_add_watch": (254, 27),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "io_uring_setup": (425, 425),
    "ioctl": (16, 29),
    "ioperm": (173, None),
    "iopl": (172, None),
    "ioprio_set": (251, 30),
    "kcmp": (312, 272),
    "kexec_file_load": (320, 294),
    "kexec_load": (246, 104),
    "keyctl": (250, 219),
    "kill": (62, 129),
    "lchown": (94, None),
    "lookup_dcookie": (212, 18),
    "lremovexattr": (198, 15),
    "lsetxattr": (189, 6),
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "migrate_pages": (256, 238),
    "mknod": (133, None),
    "mknodat": (259, 33),
    "mmap": (9, 222),
    "modify_ldt": (154, None),
    "mount": (165, 40),
    "mount_setattr": (442, 442),
    "move_mount": (429, 429),
    "move_pages": (279, 239),
    "mq_open": (240, 180),
    "mq_unlink": (241, 181),
    "msgctl": (71, 187),
    "msgget": (68, 186),
    "msgrcv": (70, 188),
    "msgsnd": (69, 189),
    "name_to_handle_at": (303, 264),
    "nfsservctl": (180, 42),
    "open": (2, None),
    "open_by_handle_at": (304, 265),
    "open_tree": (428, 428),
    "openat": (257, 56),
    "openat2": (437, 437),
    "perf_event_open": (298, 241),
    "pidfd_getfd": (438, 438),
    "pidfd_send_signal": (424, 424),
    "pivot_root": (155, 41),
    "prctl": (157, 167),
    "prlimit64": (302, 261),
    "process_madvise": (440, 440),
    "process_mrelease": (448, 448),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "ptrace": (101, 117),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "reboot": (169, 142),
    "removexattr": (197, 14),
    "request_key": (249, 218),
    "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240),
    "sched_setaffinity": (203, 122),
    "sched_setattr": (314, 274),
    "sched_setparam": (142, 118),
    "sched_setscheduler": (144, 119),
    "semctl": (66, 191),
    "semget": (64, 190),
    "semop": (65, 193),
    "semtimedop": (220, 192),
    "setdomainname": (171, 162),
    "sethostname": (170, 161),
    "setns": (308, 268),
    "setpgid": (109, 154),
    "setpriority": (141, 140),
    "setsid": (112, 157),
    "setsockopt": (54, 208),
    "settimeofday": (164, 170),
    "setxattr": (188, 5),
    "shmat": (30, 196),
    "shmctl": (31, 195),
    "shmdt": (67, 197),
    "shmget": (29, 194),
    "socket": (41, 198),
    "socketpair": (53, 199),
    "swapoff": (168, 225),
    "swapon": (167, 224),
    "syslog": (103, 116),
    "tgkill": (234, 131),
    "tkill": (200, 130),
    "umount2": (166, 39),
    "unshare": (272, 97),
    "uselib": (134, None),
    "userfaultfd": (323, 282),
    "utime": (132, None),
    "utimensat": (280, 88),
    "utimes": (235, None),
    "vhangup": (153, 58),
}

# The kernel's administration, other processes' memory, and memory that no poll would see.
_REFUSED = (
    "acct add_key adjtimex bpf chroot clock_adjtime clock_settime delete_module fanotify_init "
    "finit_module fsconfig fsmount fsopen fspick init_module ioperm iopl kcmp kexec_file_load "
    "kexec_load keyctl lookup_dcookie migrate_pages mknod mknodat modify_ldt mount mount_setattr "
    "move_mount move_pages mq_open mq_unlink msgctl msgget msgrcv msgsnd name_to_handle_at "
    "nfsservctl open_by_handle_at open_tree perf_event_open pidfd_getfd pivot_root "
    "process_madvise process_mrelease process_vm_readv process_vm_writev ptrace quotactl "
    "quotactl_fd reboot request_key semctl semget semop semtimedop setdomainname sethostname "
    "setns settimeofday shmat shmctl shmdt shmget swapoff swapon syslog umount2 unshare uselib "
    "userfaultfd vhangup"
).split()
# Answered as by a kernel that lacks them: libraries then fall back to something older. The flags
# of clone3 and openat2 lie in memory, where a filter cannot look.
_MISSING = (
    "clone3 openat2 memfd_create memfd_secret io_uring_enter io_uring_register io_uring_setup"
).split()
_SAME_USER = (
    "prlimit64 sched_setaffinity sched_setattr sched_setparam sched_setscheduler".split(),
    (("ioprio_set", 1), ("setpriority", 0)),
)
_METADATA = (
    "chmod fchmod fchmodat fchmodat2 chown fchown fchownat lchown futimesat utime utimensat utimes "
    "setxattr lsetxattr fsetxattr removexattr lremovexattr fremovexattr"
).split()
_SIGNALS = ("kill tkill tgkill pidfd_send_signal rt_sigqueueinfo rt_tgsigqueueinfo").split()


@dataclass(frozen=True)
class Test:
    """A condition on the low half of an argument: `eq`, `ne`, or `any` of the bits set."""

    __test__ = False

    argument: int
    how: str
    value: int
    mask: int = 0xFFFFFFFF


@dataclass(frozen=True)
class Rule:
    """A system call answered with `error` (0: success, nothing done) when all tests hold."""

    name: str
    error: int
    tests: Sequence[Test] = ()


def rules(namespaces: bool, signals_scoped: bool = True) -> list[Rule]:
    """What is refused.

    Args:
        namespaces: network, processes and mounts are the sandbox's own already. Otherwise no
            socket can be made, metadata cannot be changed (Landlock does not cover it) and no
            process can leave its group (the group is what gets killed).
        signals_scoped: signals cannot reach processes outside; otherwise none can be sent.
    """
    made = [Rule(name, errno.EPERM) for name in _REFUSED]
    made += [Rule(name, errno.ENOSYS) for name in _MISSING]
    made.append(Rule("clone", errno.EPERM, [Test(0, "any", _NAMESPACES | _CLONE_PARENT)]))
    made.append(Rule("prctl", errno.EPERM, [Test(0, "eq", _PR_SET_CHILD_SUBREAPER)]))
    made += _uncounted()
    # TIOCSTI and TIOCLINUX type into a terminal.
    made += [Rule("ioctl", errno.EPERM, [Test(1, "eq", ask)]) for ask in (0x5412, 0x541C)]
    pid, which = _SAME_USER
    made += [Rule(name, errno.EPERM, [Test(0, "ne", 0)]) for name in pid]
    # Another's, or those of a group or of all processes of the user.
    for name, process in which:
        made.append(Rule(name, errno.EPERM, [Test(0, "ne", process)]))
        made.append(Rule(name, errno.EPERM, [Test(1, "ne", 0)]))
    made += _set_id()
    # A datagram pair could send to any socket by its path.
    made.append(Rule("socketpair", errno.EACCES, [Test(1, "ne", _SOCK_STREAM, 0xF)]))
    if namespaces:
        outside = [Test(0, "ne", _AF_INET), Test(0, "ne", _AF_INET6)]
        made.append(Rule("socket", errno.EACCES, outside))
        return made
    made += [Rule(name, errno.EACCES) for name in ("socket", "connect", "bind")]
    # It would tell the names of files in folders that cannot be listed.
    made.append(Rule("inotify_add_watch", errno.EACCES))
    made += [Rule(name, 0) for name in (*_METADATA, "setsid", "setpgid")]
    if not signals_scoped:
        made += [Rule(name, errno.EPERM) for name in _SIGNALS]
        for name, requests in zip(("fcntl", "ioctl"), _TOLD_BY_SIGNAL, strict=True):
            made += [Rule(name, errno.EPERM, [Test(1, "eq", asked)]) for asked in requests]
    return made


def _uncounted() -> list[Rule]:
    """Memory that is held though no process has it resident: shared with nobody, or in sockets."""
    shared = [Test(3, "eq", _SHARED, _KIND_OF_MAP), Test(3, "any", _ANONYMOUS)]
    sized = [[Test(1, "eq", _SOL_SOCKET), Test(2, "eq", option)] for option in _SO_BUFFERS]
    return [
        Rule("mmap", errno.EPERM, shared),
        *(Rule("setsockopt", 0, tests) for tests in sized),
    ]


def _set_id() -> list[Rule]:
    """No program that runs with its owner's rights, which outside may be those of root."""
    where = {"chmod": 1, "fchmod": 1, "fchmodat": 2, "fchmodat2": 2, "creat": 1}
    made = [Rule(name, errno.EPERM, [Test(at, "any", _SET_ID)]) for name, at in where.items()]
    for name, flags in (("open", 1), ("openat", 2)):
        tests = [Test(flags, "any", _CREATES), Test(flags + 1, "any", _SET_ID)]
        made.append(Rule(name, errno.EPERM, tests))
    return made


def program(wanted: Sequence[Rule], machine: str = "") -> bytes:
    """The filter as the kernel takes it.

    Args:
        wanted: rules; the first that holds decides.
        machine: x86_64 or aarch64; "" for this machine.

    Raises:
        KeyError: the machine is another one.
    """
    machine = machine or platform.machine()
    column = list(_AUDIT).index(machine) if machine in _AUDIT else -1
    made = [_load(4), _jump("eq", _AUDIT[machine], 1, 0), _return(_KILL), _load(0)]
    if machine == "x86_64":
        made += [_jump("ge", _X32, 0, 1), _return(_KILL)]
    made += [_jump("gt", _NEWEST, 0, 1), _return(_error(errno.ENOSYS))]
    for rule in wanted:
        number = _NUMBERS[rule.name][column]
        if number is not None:
            made += _block(number, rule)
    made.append(_return(_ALLOW))
    return b"".join(made)


def supported(machine: str = "") -> bool:
    """Whether a filter can be made for the machine."""
    return (machine or platform.machine()) in _AUDIT


def _block(number: int, rule: Rule) -> list[bytes]:
    answer = _return(_error(rule.error))
    if not rule.tests:
        return [_jump("eq", number, 0, 1), answer]
    # Each test is three instructions: load, mask, jump; then the answer; then the number again.
    length = 3 * len(rule.tests)
    body: list[bytes] = []
    for at, test in enumerate(rule.tests):
        skip = length - 3 * (at + 1) + 1
        mask, how, value = test.mask, test.how, test.value
        if how == "any":
            mask, how, value = test.value, "ne", 0
        yes, no = (skip, 0) if how == "ne" else (0, skip)
        body += [_load(16 + 8 * test.argument), _and(mask), _jump("eq", value, yes, no)]
    return [_jump("eq", number, 0, length + 2), *body, answer, _load(0)]


def _error(number: int) -> int:
    return 0x00050000 | number


def _instruction(code: int, yes: int, no: int, value: int) -> bytes:
    return struct.pack("=HBBI", code, yes, no, value)


def _load(offset: int) -> bytes:
    return _instruction(0x20, 0, 0, offset)


def _and(mask: int) -> bytes:
    return _instruction(0x54, 0, 0, mask)


def _jump(how: str, value: int, yes: int, no: int) -> bytes:
    return _instruction({"eq": 0x15, "gt": 0x25, "ge": 0x35}[how], yes, no, value)


def _return(value: int) -> bytes:
    return _instruction(0x06, 0, 0, value)
