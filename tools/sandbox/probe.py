"""The canaries: what a sandbox must not allow, really tried in it before it is used."""

import json
import os
import socket
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

from replan.tools.sandbox.protocol import PYTHON, Finished, Job, Limits, SandboxError
from replan.tools.sandbox.supervision import Stop

Run = Callable[[Job, Limits, Stop], Finished]

_TRY = """\
import json, os, socket, sys
secret, outside, port, parent = sys.argv[1:]
def tried(what):
    try:
        return bool(what())
    except Exception:
        return False
def connect():
    with socket.create_connection(('127.0.0.1', int(port)), 2):
        return True
def keep():
    with open('inside', 'w') as file:
        return file.write('x')
# Whether that came through is seen from outside: a sandbox may have a folder of that name too.
tried(lambda: open(outside, 'w').write('x'))
print(json.dumps({
    'write in its workspace': tried(keep) and os.path.exists('inside'),
    'read a file outside': tried(lambda: open(secret).read()),
    'connect to a port of this machine': tried(connect),
    "read another process's environment": tried(
        lambda: b'\\0' in open(f'/proc/{parent}/environ', 'rb').read()
        and not os.getppid() in (0, 1)),
}))
"""
_MUST = "write in its workspace"


def canaries(run: Run) -> str:
    """Try them; "" when all are held and the workspace works, otherwise what is wrong.

    Args:
        run: runs a job in the sandbox.

    Raises:
        SandboxError: the sandbox's environment cannot be made.
    """
    with tempfile.TemporaryDirectory(prefix="replan-canary-") as made, _listening() as server:
        folder = Path(made).resolve()
        workspace, secret = folder / "workspace", folder / "secret"
        workspace.mkdir()
        secret.write_text("canary", "utf-8")
        outside = folder / "written"
        arguments = (str(secret), str(outside), str(server.getsockname()[1]), str(os.getpid()))
        job = Job((PYTHON, "-c", _TRY, *arguments), workspace)
        finished = run(job, Limits(seconds=20), threading.Event())
        if not finished.ok:
            said = finished.stderr.strip().splitlines()
            return f"a program does not run in it: {said[-1][:200] if said else finished.how()}"
        try:
            could = json.loads(finished.stdout)
        except ValueError as error:
            raise SandboxError(f"the canaries gave no answer: {error}.") from error
        if not could.pop(_MUST):
            return f"code in it cannot {_MUST}"
        escaped = [what for what, done in could.items() if done]
        if outside.exists():
            escaped.append("write a file outside")
    return f"code in it can {', '.join(escaped)}" if escaped else ""


def _listening() -> socket.socket:
    return socket.create_server(("127.0.0.1", 0))
