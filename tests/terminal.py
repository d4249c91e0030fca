"""The `replan` command on a terminal of its own, and somebody who types."""

import os
import pty
import select
import subprocess
import sys
import time

KEY = "sk-scripted-0123456789"


def at_a_terminal(args: list[str], typed: list[tuple[str, bytes]], **env: str) -> tuple[int, str]:
    """Runs the command on a terminal of its own, and types each answer when asked for it."""
    controller, terminal = pty.openpty()
    variables = {name: v for name, v in os.environ.items() if not name.lower().endswith("_proxy")}
    process = subprocess.Popen(
        [sys.executable, "-m", "replan.cli.main", *args],
        env={**variables, "OPENAI_API_KEY": KEY, "TERM": "xterm", "COLUMNS": "200", **env},
        stdin=terminal, stdout=terminal, stderr=terminal, start_new_session=True,
    )  # fmt: skip
    os.close(terminal)
    said, seen, end = "", 0, time.monotonic() + 60
    while time.monotonic() < end:
        if not select.select([controller], [], [], 0.2)[0]:
            continue
        try:
            said += os.read(controller, 65536).decode("utf-8", "replace")
        except OSError:  # the other side is closed
            break
        if typed and typed[0][0] in (new := said[seen:]):
            seen += new.index(typed[0][0]) + len(typed[0][0])
            os.write(controller, typed.pop(0)[1])
    process.wait(20)
    os.close(controller)
    return process.returncode, said
