"""Sets the limits of its own process, then becomes the command. Run as a file, not imported.

`python -I -S launcher.py LIMITS COMMAND...`, LIMITS being a JSON object. A program of its own
because code between fork and exec (`preexec_fn`) can deadlock in a process with threads.
"""

import contextlib
import json
import os
import resource
import sys


def _limit(kind: int, soft: int, hard: int) -> None:
    allowed = resource.getrlimit(kind)[1]
    if allowed != resource.RLIM_INFINITY:
        soft, hard = min(soft, allowed), min(hard, allowed)
    # macOS has no limit of the address space.
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(kind, (soft, hard))


def _die_with(parent: int) -> None:
    """Ask the kernel to end this process when its parent dies, however it dies."""
    if not sys.platform.startswith("linux"):
        return
    try:
        import ctypes

        ctypes.CDLL(None).prctl(1, 9, 0, 0, 0)  # PR_SET_PDEATHSIG, SIGKILL
    except (ImportError, OSError, AttributeError):
        return
    if os.getppid() != parent:
        sys.exit(1)


def main() -> None:
    """Set the limits and run the command in place of this program."""
    limits = json.loads(sys.argv[1])
    command = sys.argv[2:]
    _die_with(limits["parent"])
    _limit(resource.RLIMIT_CORE, 0, 0)
    # The soft limit sends SIGXCPU, which tells the reason; the hard one kills.
    _limit(resource.RLIMIT_CPU, limits["cpu_seconds"], limits["cpu_seconds"] + 1)
    _limit(resource.RLIMIT_FSIZE, limits["file_bytes"], limits["file_bytes"])
    _limit(resource.RLIMIT_AS, limits["address_bytes"], limits["address_bytes"])
    os.execvp(command[0], command)


if __name__ == "__main__":
    main()
