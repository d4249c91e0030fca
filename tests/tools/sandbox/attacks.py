"""What code may try against the machine. Each piece prints BREACH when it came through.

`HELD_BY_CALLS` are quick and run one after the other in one session; what they did outside is
looked at by `run_attacks` too. `HELD_BY_LIMITS` have to be ended, each in a process of its own.
All are harmless where they come through: bounded, and aimed at victims made for them.
"""

import os


def users() -> list[str]:
    """As whom the tests run: root runs them as an ordinary user too."""
    return ["root", "ordinary"] if os.geteuid() == 0 else ["ordinary"]


PRELUDE = """\
import ctypes, json, os, signal, socket, stat, subprocess, sys, time
libc = ctypes.CDLL(None, use_errno=True)
x86 = os.uname().machine == 'x86_64'
def call(x86_number, arm_number, *values):
    values = [ctypes.c_long(v) if isinstance(v, int) else v for v in values]
    return libc.syscall(ctypes.c_long(x86_number if x86 else arm_number), *values)
def tried(what):
    try:
        if what():
            print('BREACH')
    except Exception as error:
        print(type(error).__name__, error)
def in_child(what):
    out, into = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(into, b'1' if what() else b'0')
        finally:
            os._exit(0)
    os.close(into)
    os.waitpid(child, 0)
    with os.fdopen(out, 'rb') as answer:
        return answer.read() == b'1'
"""

HELD_BY_CALLS = {
    "read outside": "tried(lambda: open(A['secret']).read() == 'held')",
    "read outside through another process": (
        "tried(lambda: open(f\"/proc/{A['agent']}/root{A['secret']}\").read() == 'held')"
    ),
    "environment of any process": """\
def seen():
    for name in os.listdir('/proc'):
        try:
            if b'AGENT_' b'KEY=' in open(f'/proc/{name}/environ', 'rb').read():
                return True
        except OSError:
            pass
tried(seen)""",
    "write outside": "tried(lambda: open(A['new'], 'w').write('x') and False)",
    "truncate outside": "tried(lambda: os.truncate(A['truncated'], 0))",
    "empty outside by opening": (
        "tried(lambda: os.open(A['emptied'], os.O_RDONLY | os.O_TRUNC) and False)"
    ),
    "remove outside": "tried(lambda: os.unlink(A['removed']))",
    "rename into the workspace": "tried(lambda: os.rename(A['renamed'], 'taken'))",
    "change a mode outside": "tried(lambda: os.chmod(A['mode'], 0o666))",
    "change a time outside": "tried(lambda: os.utime(A['time'], (1, 1)))",
    "symlink out": """\
def link():
    os.symlink(A['secret'], 'link')
    return open('link').read() == 'held'
tried(link)""",
    "hardlink out": """\
def link():
    os.link(A['secret'], 'hard')
    return open('hard').read() == 'held'
tried(link)""",
    "memfd": "tried(lambda: os.memfd_create('x') >= 0)",
    "tcp": "tried(lambda: socket.create_connection(('127.0.0.1', A['tcp']), 2))",
    "udp": (
        "tried(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM)"
        ".sendto(b'x', ('127.0.0.1', A['udp'])) and False)"
    ),
    "unix socket": "tried(lambda: socket.socket(socket.AF_UNIX).connect(A['unix']) is None)",
    "abstract unix socket": (
        "tried(lambda: socket.socket(socket.AF_UNIX).connect('\\0' + A['abstract']) is None)"
    ),
    "unix socket through a pair": """\
def through():
    one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    one.sendto(b'x', A['datagram'])
tried(through)""",
    "another family of sockets": "tried(lambda: socket.socket(16, socket.SOCK_RAW, 0))",
    "ptrace": """\
def attach():
    if libc.ptrace(16, A['traced'], 0, 0) == 0:
        os.waitpid(A['traced'], 0x40000000)
        return libc.ptrace(17, A['traced'], 0, 0) == 0
tried(attach)""",
    "kill": "tried(lambda: os.kill(A['killed'], 9))",
    "signal the agent": "tried(lambda: os.kill(A['agent'], 0) is None)",
    "limits of another process": (
        "import resource\n"
        "tried(lambda: resource.prlimit(A['traced'], resource.RLIMIT_CORE, (0, 0)))"
    ),
    "cores of another process": "tried(lambda: os.sched_setaffinity(A['traced'], {0}) is None)",
    "user namespace": "tried(lambda: in_child(lambda: libc.unshare(0x10000000) == 0))",
    "user namespace by clone": """\
def clone():
    made = call(56, 220, 0x10000000 | 17, 0, 0, 0, 0)
    if made == 0:
        os._exit(0)
    return made > 0
tried(lambda: in_child(clone))""",
    "io_uring": "tried(lambda: call(425, 425, 1, ctypes.create_string_buffer(120)) >= 0)",
    "keyctl": "tried(lambda: in_child(lambda: call(250, 219, 0, -3, 1) >= 0))",
    "add_key": (
        "tried(lambda: in_child(lambda: call(248, 217, b'user', b'replan', b'x', 1, -2) >= 0))"
    ),
    "setuid by chmod": """\
def mark():
    open('one', 'w').close()
    os.chmod('one', 0o4755)
    return os.stat('one').st_mode & stat.S_ISUID
tried(mark)""",
    "setuid at once": """\
def mark():
    os.close(os.open('two', os.O_CREAT | os.O_WRONLY, 0o4755))
    return os.stat('two').st_mode & stat.S_ISUID
tried(mark)""",
    "a pipe in the workspace": "tried(lambda: os.mkfifo('pipe') is None)",
    "shared memory of System V": "tried(lambda: call(29, 194, 0, 4096, 0o1600) >= 0)",
    "shared memory of System V made by others": (
        "tried(lambda: call(31, 195, A['segment'], 2, bytes(256)) >= 0)"
    ),
    "semaphores of System V made by others": (
        "tried(lambda: call(66, 191, A['semaphores'], 0, 12, 0) >= 0)"
    ),
    "memory that no process has resident": (
        "import mmap\ntried(lambda: len(mmap.mmap(-1, 4096, mmap.MAP_SHARED)))"
    ),
    "the same by a device": """\
def device():
    import mmap
    with open('/dev/zero', 'r+b') as zero:
        return len(mmap.mmap(zero.fileno(), 4096, mmap.MAP_SHARED))
tried(device)""",
    "large buffers of sockets": """\
def buffers():
    one, other = socket.socketpair()
    before = one.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, before // 4)
    return one.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) != before
tried(buffers)""",
    "a child beside oneself": """\
def beside():
    made = call(56, 220, 0x8000 | 17, 0, 0, 0, 0)
    if made == 0:
        os._exit(0)
    return made > 0
tried(beside)""",
    "leave one's orphans to others": (
        "tried(lambda: in_child(lambda: libc.prctl(36, 0, 0, 0, 0) == 0))"
    ),
}

# Only root could do these without a sandbox.
OF_ROOT = {
    "set the kernel": ("tried(lambda: os.open('/proc/sys/kernel/core_pattern', os.O_WRONLY) >= 0)"),
}

_EAT = """\
def eat(megabytes):
    held = []
    for _ in range(megabytes // 10):
        held.append(b'x' * (10 * 1024**2))
        time.sleep(0.02)
    return held
"""
_BEAT = """\
def beat():
    for number in range(500):
        with open('beat', 'w') as file:
            file.write(str(number))
        time.sleep(0.02)
def daemon():
    if os.fork() == 0:
        os.setsid()
        if os.fork():
            os._exit(0)
        os.closerange(0, 64)
        try:
            beat()
        finally:
            os._exit(0)
    while not os.path.exists('beat'):
        time.sleep(0.01)
daemon()
"""

# Code, seconds, and the limit that has to be named ("" for none: it ends by itself).
HELD_BY_LIMITS = {
    "fork bomb": (
        """\
made, end = 0, time.monotonic() + 4
while made < 150 and time.monotonic() < end:
    child = os.fork()
    if child == 0:
        time.sleep(4)
        os._exit(0)
    made += 1
    time.sleep(0.005)
if made >= 150:
    print('BREACH', flush=True)
os.killpg(0, 9) if 'PLAIN' in os.environ else time.sleep(4)
""",
        10,
        "the limit of 30 processes",
    ),
    "one process eats memory": (
        f"{_EAT}\nheld = eat(500)\nprint('BREACH')",
        10,
        "the memory limit of 200 MB",
    ),
    "six processes eat memory": (
        f"""{_EAT}
children = []
for _ in range(6):
    child = os.fork()
    if child == 0:
        held = eat(80)
        time.sleep(2)
        os._exit(0)
    children.append(child)
for child in children:
    os.waitpid(child, 0)
print('BREACH')""",
        10,
        "the memory limit of 200 MB",
    ),
    "a loop that ignores signals": (
        """\
for number in range(1, 65):
    try:
        signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError):
        pass
if 'PLAIN' in os.environ:
    subprocess.run(['kill', '-TERM', '-INT', str(os.getpid())], stderr=2)
    os.kill(os.getpid(), 15); os.kill(os.getpid(), 2)
end = time.monotonic() + 3
while time.monotonic() < end:
    pass
print('BREACH')""",
        1,
        "the time limit of 1 s",
    ),
    "fill the disk": (
        """\
for number in range(12):
    with open(f'big{number}', 'wb') as file:
        file.write(b'x' * (10 * 1024**2))
    time.sleep(0.15)
print('BREACH')""",
        15,
        "the limit of 50 MB on disk",
    ),
    "fill the disk with deleted files": (
        """\
held = []
for number in range(12):
    file = open(f'big{number}', 'wb')
    os.unlink(f'big{number}')
    file.write(b'x' * (10 * 1024**2))
    file.flush()
    held.append(file)
    time.sleep(0.15)
print('BREACH')""",
        15,
        "the limit of 50 MB on disk",
    ),
    "endless output": (
        """\
for _ in range(60_000):
    print('x' * 1000)
print('BREACH')""",
        15,
        "the limit of 10 MB of output",
    ),
    "a daemon outlives the end": (_BEAT, 10, ""),
    "a daemon outlives the time": (f"{_BEAT}\ntime.sleep(5)", 1, "the time limit of 1 s"),
}
