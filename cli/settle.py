"""From options to the context of a run, and from errors to one line and an exit code."""

import logging
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from replan.cli.printable import visible
from replan.state.context import ROLES, Context
from replan.state.errors import DatabaseError, ReplanError, SettingError

INTERRUPTED = 130
# Those have options of their own, or are lists.
_OTHERWISE = ("approvals", "model", "revision_ignore", "workspace")
_SETTINGS = sorted(Context.model_fields.keys() - {*ROLES, *_OTHERWISE})
_THEN_RESUME = "Mend that, then go on with: replan resume THREAD."
_TRY_AGAIN = "Mend that, and try again."


@dataclass
class Errand:
    """A thread that this process works on; `begun` once there is something to resume."""

    thread_id: str
    begun: bool = False


def overrides(
    model: str | None,
    roles: Sequence[str] | None,
    max_steps: int | None,
    max_seconds: int | None,
    max_tokens: int | None,
    max_cost: float | None,
    approvals: Sequence[str] | None = None,
    sandbox: str | None = None,
    strategy: str | None = None,
) -> dict[str, Any]:
    """The context fields that were given on the command line. `roles` are `name=value` strings,
    of roles or any other field, `approvals` are rules; they are checked by `context_from`.
    """
    given = {
        "model": model,
        "max_steps": max_steps,
        "max_seconds": max_seconds,
        "max_tokens": max_tokens,
        "max_cost": max_cost,
        "approvals": list(approvals or []) or None,
        "sandbox": sandbox,
        "strategy": strategy,
        "--set": list(roles or []) or None,
    }
    return {name: value for name, value in given.items() if value is not None}


def context_from(given: dict[str, Any], base: dict[str, Any] | None = None) -> Context:
    """The context of a run.

    Args:
        given: from `overrides`.
        base: fields of an earlier run, which `given` replaces.

    Raises:
        SettingError: a strategy, role or implementation is unknown, or a value is impossible.
    """
    from replan.graphs.strategies import with_strategy
    from replan.nodes.registry import implementation

    fields = {**(base or {}), **given}
    for pair in fields.pop("--set", []):
        name, _, value = pair.partition("=")
        if name not in (*ROLES, *_SETTINGS) or not value:
            raise SettingError(
                f"--set takes NAME=VALUE, not {pair!r}.",
                f"Roles: {', '.join(ROLES)}. Settings: {', '.join(_SETTINGS)}.",
            )
        # Resumed from another folder, it is still the same.
        fields[name] = str(Path(value).expanduser().absolute()) if name == "documents" else value
    try:
        context = Context(**fields)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        said = first["msg"].removeprefix("Value error, ")
        raise SettingError(f"{where}: {said}.", "See replan run --help.") from error
    for role, name in with_strategy(context).roles().items():
        implementation(role, name)
    return context


def at_the_edge(command: Callable[[], int], errand: Errand | None = None) -> int:
    """Run a command; an error becomes one line on standard error and its exit code.

    Args:
        command: gives the exit code.
        errand: the thread it is about, which the line names.
    """
    # What psycopg logs of a connection that broke, our own line says.
    logging.getLogger("psycopg").addHandler(logging.NullHandler())
    try:
        return command()
    except ReplanError as error:
        complain(error, errand)
        return error.exit_code
    except KeyboardInterrupt:
        print("replan: interrupted.", file=sys.stderr)
        return INTERRUPTED
    except Exception as error:
        known = from_outside(error, bool(errand and errand.begun))
        if known is None:
            raise  # A mistake of ours: its traceback is what helps to find it.
        complain(known, errand)
        return known.exit_code


def from_outside(error: Exception, begun: bool) -> ReplanError | None:
    """What the machine or the database did in the middle of a command, as an error of ours.

    Args:
        error: whatever was raised.
        begun: whether there is a run to go on with.
    """
    todo = _THEN_RESUME if begun else _TRY_AGAIN
    if isinstance(error, OSError):
        where = f" ({error.filename})" if error.filename else ""
        return ReplanError(f"the system refused: {error.strerror or error}{where}.", todo)
    psycopg = sys.modules.get("psycopg")  # Not imported, it cannot have raised anything.
    if psycopg and isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        if any(isinstance(one, psycopg.errors.DiskFull) for one in _chain(error)):
            return DatabaseError("the disk of the database is full.", todo)
        return DatabaseError("the database stopped answering in mid-run.", todo)
    return None


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error and what led to it."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def complain(error: ReplanError, errand: Errand | None = None) -> None:
    """One line: what went wrong, and what to do; once a run has begun, how it goes on too."""
    line = " ".join(f"{error.what} {error.todo}".split())
    if errand:
        again = f"replan resume {errand.thread_id}"
        line = re.sub(r"\b(resume|restore) THREAD\b", rf"\1 {errand.thread_id}", line)
        if errand.begun and again not in line:
            line += f" Go on with: {again}"
        if line.endswith(f" {errand.thread_id}."):
            line = line.removesuffix(".")  # As it stands, it is to be copied.
    print(f"replan: {visible(line)}", file=sys.stderr)
