"""`python run_attacks.py SANDBOX`: run all attacks against a sandbox and print what came through.

A program of its own, so that it can run as another user. SANDBOX "plain" runs the attacks that
limits hold in a process without any. Prints JSON: by attack, `breach` and `said` (or `limit`).
"""

import asyncio
import ctypes
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from attacks import HELD_BY_CALLS, HELD_BY_LIMITS, OF_ROOT, PRELUDE

from replan.tools.sandbox.choose import BACK_ENDS
from replan.tools.sandbox.protocol import PYTHON, Job, Limits

MEGABYTE = 1024**2
LIMITS = Limits(
    memory_bytes=200 * MEGABYTE,
    disk_bytes=50 * MEGABYTE,
    output_bytes=10 * MEGABYTE,
    processes=30,
)
VICTIM = "import ctypes, time; ctypes.CDLL(None).prctl(0x59616d61, -1, 0, 0, 0); time.sleep(120)"
FILES = ("truncated", "emptied", "removed", "renamed", "mode", "time")


class Victims:
    """What the attacks aim at."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        for name in FILES:
            (folder / name).write_text("held")
            (folder / name).chmod(0o600)
        (folder / "secret").write_text("held")
        self._tcp = socket.create_server(("127.0.0.1", 0))
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._udp.bind(("127.0.0.1", 0))
        self._unix = socket.socket(socket.AF_UNIX)
        self._unix.bind(str(folder / "unix"))
        self._abstract = socket.socket(socket.AF_UNIX)
        self._name = f"replan-{os.getpid()}"
        self._abstract.bind(f"\0{self._name}")
        self._datagram = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._datagram.bind(str(folder / "datagram"))
        for server in (self._unix, self._abstract):
            server.listen()
        for receiver in (self._udp, self._datagram):
            receiver.setblocking(False)
        # Of System V; removed at the end.
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._segment = self._libc.shmget(0, 4096, 0o1666)
        self._semaphores = self._libc.semget(0, 1, 0o1666)
        self.processes = [subprocess.Popen([sys.executable, "-c", VICTIM]) for _ in range(2)]
        time.sleep(0.3)

    def known(self) -> dict[str, Any]:
        """What an attacker could know of them."""
        return {
            **{name: str(self._folder / name) for name in (*FILES, "secret", "new")},
            "unix": str(self._folder / "unix"),
            "datagram": str(self._folder / "datagram"),
            "abstract": self._name,
            "tcp": self._tcp.getsockname()[1],
            "udp": self._udp.getsockname()[1],
            "segment": self._segment,
            "semaphores": self._semaphores,
            "agent": os.getpid(),
            "traced": self.processes[0].pid,
            "killed": self.processes[1].pid,
        }

    def harmed(self) -> dict[str, bool]:
        """By attack, whether it did something outside."""
        place = self._folder
        return {
            "write outside": (place / "new").exists(),
            "truncate outside": (place / "truncated").read_text() != "held",
            "empty outside by opening": (place / "emptied").read_text() != "held",
            "remove outside": not (place / "removed").exists(),
            "rename into the workspace": not (place / "renamed").exists(),
            "change a mode outside": (place / "mode").stat().st_mode & 0o777 != 0o600,
            "change a time outside": (place / "time").stat().st_mtime < 1000,
            "udp": _received(self._udp),
            "unix socket through a pair": _received(self._datagram),
            "kill": self.processes[1].poll() is not None,
        }

    def close(self) -> None:
        self._libc.shmctl(self._segment, 0, None)
        self._libc.semctl(self._semaphores, 0, 0)
        for process in self.processes:
            process.kill()
            process.wait()
        for each in (self._tcp, self._udp, self._unix, self._abstract, self._datagram):
            each.close()


def _received(receiver: socket.socket) -> bool:
    try:
        return bool(receiver.recv(10))
    except BlockingIOError:
        return False


async def calls(name: str, folder: Path) -> dict[str, Any]:
    victims = Victims(folder / "outside")
    session = BACK_ENDS[name].open(folder / "workspace", LIMITS)
    found = {}
    try:
        prelude = f"{PRELUDE}\nA = json.loads({json.dumps(victims.known())!r})"
        await session.execute(prelude, 10)
        for attack, code in {**HELD_BY_CALLS, **OF_ROOT}.items():
            done = await session.execute(code, 10)
            lost = done.fresh or not done.ok
            said = f"{done.how()}: {done.stdout}{done.stderr}"[-300:]
            found[attack] = {"breach": "BREACH" in done.stdout, "said": said, "lost": lost}
        for attack, harmed in victims.harmed().items():
            found[attack]["breach"] |= harmed
    finally:
        await session.close()
        victims.close()
    return found


async def limits(name: str, folder: Path) -> dict[str, Any]:
    """All at once: most of them wait."""
    return dict(await asyncio.gather(*(limited(name, attack, folder) for attack in HELD_BY_LIMITS)))


async def limited(name: str, attack: str, folder: Path) -> tuple[str, dict[str, Any]]:
    code, seconds, limit = HELD_BY_LIMITS[attack]
    workspace = folder / attack
    workspace.mkdir()
    script = f"{PRELUDE}\n{code}"
    if name == "plain":
        said, ended = await asyncio.to_thread(plain, script, workspace), ""
    else:
        job = Job((PYTHON, "-c", script), workspace)
        done = await BACK_ENDS[name].open(workspace, LIMITS).command(job, seconds)
        said, ended = done.stdout + done.stderr, done.limit
    breach = "BREACH" in said or await asyncio.to_thread(beats, workspace / "beat")
    right = name == "plain" or ended == limit
    for big in workspace.glob("big*"):
        big.unlink()
    return attack, {"breach": breach, "limit": ended, "right": right, "said": said[-300:]}


def plain(script: str, workspace: Path) -> str:
    """Without any sandbox."""
    child = subprocess.Popen(
        [sys.executable, "-c", script],
        cwd=workspace,
        env={**os.environ, "PLAIN": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    out = ""
    try:
        out = child.communicate(timeout=7)[0]
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        out = child.communicate()[0]
    return out


def beats(file: Path) -> bool:
    """Whether something is still writing it."""
    if not file.exists():
        return False
    seen = set()
    for _ in range(10):
        seen.add(file.read_text())
        time.sleep(0.03)
    return len(seen - {""}) > 1


async def main() -> None:
    name = sys.argv[1]
    with tempfile.TemporaryDirectory(prefix="replan-attack-", ignore_cleanup_errors=True) as made:
        folder = Path(made)
        for each in ("outside", "workspace"):
            (folder / each).mkdir()
        found = {} if name == "plain" else await calls(name, folder)
        if name != "unsafe":
            found.update(await limits(name, folder))
    print(json.dumps(found))


if __name__ == "__main__":
    asyncio.run(main())
