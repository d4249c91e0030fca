import ctypes
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from replan.tools.sandbox.choose import BACK_ENDS
from replan.tools.sandbox.protocol import PYTHON, Job, Limits

_PR_SET_CHILD_SUBREAPER = 36


@pytest.mark.parametrize("sandbox", list(BACK_ENDS))
def test_a_call_ends_when_its_processes_have_though_nobody_reaps_them(
    sandbox: str, tmp_path: Path
) -> None:
    """As in a container whose first process does not care."""
    ran = subprocess.run(
        [sys.executable, __file__, "adopt", sandbox, str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert float(ran.stdout) < 2


def adopt(arguments: list[str]) -> int:
    """Be the process that orphans go to, and wait for one's own child only."""
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    return subprocess.Popen([sys.executable, __file__, *arguments]).wait()


def call(sandbox: str, folder: str) -> int:
    began = time.monotonic()
    finished = BACK_ENDS[sandbox].run(
        Job((PYTHON, "-c", "print(1)"), Path(folder)), Limits(seconds=20), threading.Event()
    )
    assert finished.stdout == "1\n", finished
    print(time.monotonic() - began)
    return 0


if __name__ == "__main__":
    how, *rest = sys.argv[1:]
    raise SystemExit(adopt(rest) if how == "adopt" else call(how, *rest))
