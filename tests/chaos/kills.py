"""Kills runs, resumes them, and holds what they end in against an undisturbed one."""

import json
import multiprocessing
import os
import random
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from threading import Thread
from typing import Any, Literal
from uuid import uuid4

import psycopg
from chaos.lives import Life, live
from openai_server import OpenAIServer, openai_server_in_thread
from scripted_agent import Move, ScriptedAgent

BETA = "open('beta.txt', 'w').write(open('alpha.txt').read().strip() * 2)"
MOVES = {
    "Write alpha.txt": Move("write_file", "alpha", path="alpha.txt"),
    "Enter first": Move("ledger", text="first"),
    "Compute beta.txt": Move("python", BETA),
    "Enter second": Move("ledger", text="second"),
}
KEY = "sk-scripted-0123456789"
LIFE_SECONDS = 60.0
# Measured, or numbered anew by each run.
_OF_THE_RUN = ("workspace", "revision")
_MEASURED = ("seconds", "model_seconds", "tool_seconds")
# Of a call and the files it meets: of two side by side, either may come first.
_BY_CHANCE = ("fingerprint",)


@dataclass(frozen=True)
class Death:
    """How a life ends: at an event of the graph's stream or a moment in a call, by its number, or
    so many seconds after it began.
    """

    kind: Literal["event", "moment", "instant"]
    number: int = 0
    seconds: float = 0.0


@dataclass
class Ended:
    """What a thread has come to."""

    values: dict[str, Any]
    files: dict[str, str]
    entries: list[str]
    kills: int = 0
    faults: list[str] = field(default_factory=list)


def move(text: str) -> Move:
    """The move for the task that the request is about: the same for the same request."""
    return MOVES[max(MOVES, key=text.rfind)]


@contextmanager
def scripted() -> Iterator[OpenAIServer]:
    """A model whose answers depend on nothing but the request."""
    with openai_server_in_thread(ScriptedAgent(move), key=KEY) as server:
        yield server


class Chaos:
    """Runs threads of one database, model and folder.

    Args:
        folder: for what the runs make.
        variables: names database and model.
        url: connection string of the database, to look at the journal.
    """

    def __init__(self, folder: Path, variables: dict[str, str], url: Callable[[], str]) -> None:
        self.folder = folder
        self.variables = variables
        self.url = url
        self.events = self.moments = 0
        self._processes = multiprocessing.get_context("forkserver")
        self._processes.set_forkserver_preload(["chaos.lives"])

    def undisturbed(self) -> Ended:
        """A run that nobody kills; `events` and `moments` say then how many a run has."""
        return self.run([])

    def run(self, deaths: Sequence[Death]) -> Ended:
        """A thread that is killed once for each death, resumed each time, and then left to end.

        Args:
            deaths: how each life ends.
        """
        thread, folder = self._thread()
        kills, faults = 0, list[str]()
        for death in [*deaths, None]:
            ended = self._next_life(thread, folder, death, faults)
            kills += ended is None
            if ended is not None and "error" not in ended:
                return Ended(_compared(ended), _files(folder), _entries(folder), kills, faults)
        raise AssertionError(f"{thread} did not end: {ended}")

    def run_through(self, disturb: Callable[[int], Thread], times: int) -> Ended:
        """A thread whose surroundings are disturbed so many times, each time in a new life.

        Args:
            disturb: begins it, given its number; its thread ends when all is well again.
            times: how often.
        """
        thread, folder = self._thread()
        faults = list[str]()
        for number in range(times + 1):
            begin = partial(disturb, number) if number < times else None
            ended = self._next_life(thread, folder, None, faults, begin)
            if ended is not None and "error" not in ended and number >= times:
                return Ended(_compared(ended), _files(folder), _entries(folder), 0, faults)
        raise AssertionError(f"{thread} did not end: {ended}")

    def _thread(self) -> tuple[str, Path]:
        thread = str(uuid4())
        folder = self.folder / thread
        (folder / "workspace").mkdir(parents=True)
        return thread, folder

    def _next_life(
        self,
        thread: str,
        folder: Path,
        death: Death | None,
        faults: list[str],
        disturb: Callable[[], Thread] | None = None,
    ) -> dict[str, Any] | None:
        """What a life ended with; a call that it made although its result was known is a fault."""
        recorded = self._recorded(thread)
        executed = len(self._executions(folder))
        # Not before what is recorded has been looked up: the database may be what goes.
        disturbing = disturb() if disturb else None
        ended = self._live(thread, folder, death)
        if disturbing:
            disturbing.join()
        again = recorded.intersection(self._executions(folder)[executed:])
        faults += [f"made again: {one}" for one in again]
        return ended

    def _live(self, thread: str, folder: Path, death: Death | None) -> dict[str, Any] | None:
        """What a life ended with; None when it was killed."""
        here, there = self._processes.Pipe(duplex=False)
        event = death.number if death and death.kind == "event" else 0
        moment = death.number if death and death.kind == "moment" else 0
        life = Life(thread, folder, self.variables, event, moment)
        process = self._processes.Process(target=live, args=(life, there))
        process.start()
        there.close()
        try:
            said = here.recv() if here.poll(LIFE_SECONDS) else "silent"
            if said == "begun":
                if death and death.kind == "instant" and not here.poll(death.seconds):
                    os.kill(process.pid or 0, signal.SIGKILL)
                said = here.recv()
                if isinstance(said, tuple):
                    (self.events, self.moments), said = said, here.recv()
        except EOFError:
            return None
        finally:
            process.join(LIFE_SECONDS)
        assert said != "silent", "a life neither began nor ended"
        ended: dict[str, Any] = json.loads(said)
        return ended

    def _recorded(self, thread: str) -> set[str]:
        """The tool calls whose result is in the journal."""
        with psycopg.connect(self.url()) as connection:
            if not connection.execute("SELECT to_regclass('replan_journal')").fetchone()[0]:  # type: ignore[index]
                return set()
            found = connection.execute(
                "SELECT name || ' ' || execution || ':' || number FROM replan_journal "
                "WHERE thread_id = %s AND kind = 'tool' AND outcome = 'ok'",
                (thread,),
            )
            return {row[0] for row in found}

    def _executions(self, folder: Path) -> list[str]:
        log = folder / "executions"
        lines = log.read_text().splitlines() if log.exists() else []
        return [line.rpartition(" ")[0] for line in lines]


def instants(count: int, longest: float, seed: int) -> list[Death]:
    """Deaths at random instants of a life, in seconds; the same for the same seed."""
    drawn = random.Random(seed)
    return [Death("instant", seconds=drawn.uniform(0.0, longest)) for _ in range(count)]


def differences(ended: Ended, undisturbed: Ended) -> list[str]:
    """How the end of a run differs from that of an undisturbed one."""
    found = list(ended.faults)
    for name in sorted(ended.values.keys() | undisturbed.values.keys()):
        if ended.values.get(name) != undisturbed.values.get(name):
            found.append(
                f"{name}: {ended.values.get(name)!r}, undisturbed {undisturbed.values.get(name)!r}"
            )
    if ended.files != undisturbed.files:
        found.append(f"files: {ended.files}, undisturbed {undisturbed.files}")
    if ended.entries != undisturbed.entries:
        found.append(f"ledger: {ended.entries}, undisturbed {undisturbed.entries}")
    return found


def _compared(values: dict[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in values.items() if name not in _OF_THE_RUN}
    text = json.dumps(_without_times(kept), sort_keys=True, ensure_ascii=False)
    return dict(json.loads(text.replace(str(values["workspace"]), "WORKSPACE")))


def _without_times(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: _without_times(part)
            for name, part in value.items()
            if name not in (*_MEASURED, *_BY_CHANCE)
        }
    return [_without_times(part) for part in value] if isinstance(value, list) else value


def _files(folder: Path) -> dict[str, str]:
    workspace = folder / "workspace"
    return {
        file.relative_to(workspace).as_posix(): file.read_text()
        for file in sorted(workspace.rglob("*"))
        if file.is_file()
    }


def _entries(folder: Path) -> list[str]:
    ledger = folder / "ledger"
    lines = ledger.read_text().splitlines() if ledger.exists() else []
    return [line.partition(" ")[2] for line in lines]
