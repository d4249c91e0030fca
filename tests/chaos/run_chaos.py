"""Kills runs, and their database, again and again: `make chaos`.

Every run is killed at one boundary of a node, or at random instants, and resumed each time; what
it ends in has to equal what an undisturbed one ended in. Prints a line for what differs and one
JSON object at the end; the exit code is 1 when anything differed.
"""

import argparse
import json
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil
from chaos.kills import KEY, Chaos, Death, Ended, differences, instants, scripted

from replan.state.settings import settings
from replan.storage.embedded import release_embedded, start_embedded

_KILLS_A_RUN = 5
_LONGEST_LIFE = 1.5


class KilledDatabase:
    """Kills the embedded database at an instant of a run, and starts it again."""

    def __init__(self, home: Path) -> None:
        self._pid_file = home / "postgres" / "data" / "postmaster.pid"
        self.kills = 0

    def after(self, seconds: float) -> threading.Thread:
        """Kill it so many seconds from now; the thread ends when it is up again."""
        thread = threading.Thread(target=self._kill, args=(seconds,))
        thread.start()
        return thread

    def _kill(self, seconds: float) -> None:
        time.sleep(seconds)
        postmaster = psutil.Process(int(self._pid_file.read_text().split()[0]))
        doomed = [postmaster, *postmaster.children(recursive=True)]
        for process in doomed:
            with suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGKILL)
        psutil.wait_procs(doomed, timeout=10)
        self.kills += 1
        start_embedded()


def run(kills: int, database_kills: int, folder: Path) -> int:
    """Returns the exit code."""
    home = folder / "home"
    home.mkdir(mode=0o711)
    os.environ["REPLAN_HOME"] = str(home)
    settings.cache_clear()
    began = time.monotonic()
    with scripted() as server:
        variables = {
            "OPENAI_BASE_URL": server.url,
            "OPENAI_API_KEY": KEY,
            "REPLAN_HOME": str(home),
        }
        chaos = Chaos(folder / "runs", variables, start_embedded)
        undisturbed, events, moments = chaos.undisturbed(), chaos.events, chaos.moments
        assert undisturbed.values["status"] == "done", undisturbed.values["reason"]
        tally = Tally(undisturbed)
        deaths = [Death("event", number) for number in range(1, events + 1)]
        deaths += [Death("moment", number) for number in range(1, moments + 1)]
        for death in deaths if kills else []:
            tally.add(str(death), lambda death=death: chaos.run([death]))
        seed = 0
        while tally.kills < kills:
            seed += 1
            random = instants(_KILLS_A_RUN, _LONGEST_LIFE, seed)
            tally.add(f"seed {seed}", lambda random=random: chaos.run(random))
        database = KilledDatabase(home)
        while database.kills < database_kills:
            seed += 1
            tally.add(f"database, seed {seed}", lambda seed=seed: _without(database, chaos, seed))
    release_embedded()
    print(
        json.dumps(
            {
                "runs": tally.runs,
                "events_of_a_run": events,
                "moments_of_a_run": moments,
                "kills": tally.kills,
                "database_kills": database.kills,
                "different": tally.different,
                "seconds": round(time.monotonic() - began),
            }
        )
    )
    return int(tally.different > 0)


def _without(database: KilledDatabase, chaos: Chaos, seed: int) -> Ended:
    """A run that loses its database twice, and is resumed when it gave up."""
    waits = instants(2, _LONGEST_LIFE, seed)
    return chaos.run_through(lambda attempt: database.after(waits[attempt].seconds), len(waits))


class Tally:
    """Counts runs, kills and what differed."""

    def __init__(self, undisturbed: Ended) -> None:
        self._undisturbed = undisturbed
        self.runs = self.kills = self.different = 0

    def add(self, name: str, start: Callable[[], Ended]) -> None:
        """Make a run, and hold its end against the undisturbed one."""
        ended = start()
        self.runs += 1
        self.kills += ended.kills
        if wrong := differences(ended, self._undisturbed):
            self.different += 1
            print(f"{name}: {'; '.join(wrong)[:2000]}", flush=True)
        if self.runs % 10 == 0:
            print(f"[{self.runs} runs, {self.kills} kills]", file=sys.stderr, flush=True)


def main() -> int:
    """Returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--database-kills", type=int, default=20)
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="replan-chaos-"))
    folder.chmod(0o711)
    try:
        return run(asked.kills, asked.database_kills, folder)
    finally:
        release_embedded()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    raise SystemExit(main())
