import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from attacks import HELD_BY_CALLS, HELD_BY_LIMITS, OF_ROOT, users

Run = Callable[..., subprocess.CompletedProcess[str]]

SANDBOXES = ("bubblewrap", "landlock")


def _disabled(file: str) -> bool:
    place = Path("/proc/sys/kernel", file)
    return place.exists() and place.read_text().strip() != "0"


def results(run_as: Run, user: str, sandbox: str) -> dict[str, Any]:
    done = run_as(user, "run_attacks.py", sandbox)
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("user", users())
def test_the_attacks_work_without_a_sandbox(run_as: Run, user: str) -> None:
    found = results(run_as, user, "unsafe")
    expected = {*HELD_BY_CALLS, *(OF_ROOT if user == "root" else ())}
    if _disabled("io_uring_disabled"):
        expected.remove("io_uring")
    if _disabled("apparmor_restrict_unprivileged_userns"):
        expected -= {"user namespace", "user namespace by clone"}
    failed = {name: found[name] for name in expected if not found[name]["breach"]}
    assert failed == {}


def test_the_attacks_on_limits_work_without_any(run_as: Run) -> None:
    found = results(run_as, "ordinary", "plain")
    assert {name: found[name] for name in HELD_BY_LIMITS if not found[name]["breach"]} == {}


@pytest.mark.parametrize("user", users())
@pytest.mark.parametrize("sandbox", SANDBOXES)
def test_the_sandbox_holds(run_as: Run, user: str, sandbox: str) -> None:
    found = results(run_as, user, sandbox)
    assert set(found) == {*HELD_BY_CALLS, *OF_ROOT, *HELD_BY_LIMITS}
    assert {name: seen for name, seen in found.items() if seen["breach"]} == {}
    # Each attack was really tried: none ended the session before the next.
    assert {name: seen for name, seen in found.items() if seen.get("lost")} == {}
    assert {name: seen for name, seen in found.items() if not seen.get("right", True)} == {}
