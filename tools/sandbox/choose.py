"""Which sandbox is used: the one named, or the first that holds. Fails closed."""

import sys
import threading

from replan.tools.sandbox.bubblewrap import Bubblewrap
from replan.tools.sandbox.landlock import Landlock
from replan.tools.sandbox.local import LocalSandbox
from replan.tools.sandbox.protocol import SandboxError
from replan.tools.sandbox.unsafe import Unsafe

BACK_ENDS: dict[str, LocalSandbox] = {
    back_end.name: back_end for back_end in (Bubblewrap(), Landlock(), Unsafe())
}
# `auto` never takes one that confines nothing.
_AUTO = ("bubblewrap", "landlock")
_VERDICTS: dict[str, str] = {}
_LOCK = threading.Lock()


def verdict(name: str) -> str:
    """Why a back end cannot be trusted here; "" when it can. Tried once a process; blocks."""
    with _LOCK:
        if name not in _VERDICTS:
            _VERDICTS[name] = BACK_ENDS[name].probe()
        return _VERDICTS[name]


def choose(name: str) -> LocalSandbox:
    """The sandbox of that name, or with "auto" the first that holds. Blocks.

    Raises:
        SandboxError: it does not hold here, or there is none of that name.
    """
    if name != "auto" and name not in BACK_ENDS:
        raise SandboxError(
            f"there is no sandbox {name!r}.", f"There are: auto, {', '.join(BACK_ENDS)}."
        )
    wrong = {}
    for candidate in _AUTO if name == "auto" else (name,):
        why = verdict(candidate)
        if not why:
            return BACK_ENDS[candidate]
        wrong[candidate] = why
    said = "; ".join(f"{candidate}: {why}" for candidate, why in wrong.items())
    raise SandboxError(f"no sandbox can be used here ({said}).", _todo())


def _todo() -> str:
    if sys.platform.startswith("linux"):
        return (
            "Allow user namespaces or use a kernel with Landlock; or, to run code with all of "
            "your own rights, set sandbox=unsafe."
        )
    return (
        "Use Linux, for example in a container; or, to run code with all of your own rights, "
        "set sandbox=unsafe."
    )
