"""Answers to calls that wait for a person: given as options, or asked for at the terminal."""

import json
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.prompt import Prompt
from rich.text import Text

from replan.cli.printable import visible
from replan.state.approval import Answer
from replan.state.errors import UsageError
from replan.tools.bounds import encodable, storable

if TYPE_CHECKING:
    from langgraph.types import Interrupt


def answer_from(approve: bool, reject: str | None, edit: str | None) -> Answer | None:
    """The answer that the options give; None when they give none.

    Raises:
        UsageError: more than one is given, or what `--edit` gives is no JSON object.
    """
    if approve + (reject is not None) + (edit is not None) > 1:
        raise UsageError("--approve, --reject and --edit exclude each other.", "Give one of them.")
    if approve:
        return Answer(decision="approve")
    if reject is not None:
        return Answer(decision="reject", reason=storable(reject)[:2000])
    if edit is not None:
        return Answer(decision="edit", args=json_object(edit, "--edit"))
    return None


def json_object(text: str, what: str) -> dict[str, Any]:
    """The JSON object in an argument of the command line.

    Raises:
        UsageError: it is none.
    """
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{what} is not JSON: {error}.", "Give an object in quotes.") from error
    if not isinstance(value, dict):
        raise UsageError(f"{what} is not a JSON object.", 'Such as {"path": "a.md"}.')
    return encodable(value)


def addressed(
    waiting: Sequence["Interrupt"], answer: Answer, interrupt_id: str | None
) -> dict[str, dict[str, Any]]:
    """The answer under the id of the call that it is for.

    Raises:
        UsageError: nothing waits, nothing of that id, or several do and none is named.
    """
    ids = [one.id for one in waiting]
    if not ids:
        raise UsageError("no call of this thread waits for a person.", "Leave the answer out.")
    if interrupt_id is None and len(ids) > 1:
        raise UsageError(
            f"{len(ids)} calls wait.", f"Name one of them: --interrupt {', '.join(ids)}."
        )
    if interrupt_id is not None and interrupt_id not in ids:
        raise UsageError(f"no call {interrupt_id[:60]!r} waits.", f"There are: {', '.join(ids)}.")
    return {interrupt_id or ids[0]: answer.model_dump(exclude_defaults=True)}


def can_ask() -> bool:
    """Whether a person sits at the terminal."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def ask(waiting: Sequence["Interrupt"]) -> dict[str, dict[str, Any]]:
    """Ask about every call that waits, on standard error. Blocks the event loop, from which nothing
    else is wanted now: in a thread, reading the terminal could not be ended.

    Raises:
        KeyboardInterrupt: the person leaves; the calls go on waiting.
    """
    console = Console(stderr=True, highlight=False)
    with _ended_by_signals():
        return {one.id: ask_about(console, one.value).model_dump(exclude_defaults=True)
            for one in waiting}  # fmt: skip


def ask_one(call: Mapping[str, Any]) -> Answer:
    """As `ask`, about one call that is not part of a run."""
    with _ended_by_signals():
        return ask_about(Console(stderr=True, highlight=False), call)


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Ctrl-C and SIGTERM end what blocks; asyncio would only take note of them."""
    ends = (signal.SIGINT, signal.SIGTERM)
    before = {end: signal.signal(end, signal.default_int_handler) for end in ends}
    try:
        yield
    finally:
        for end, handler in before.items():
            signal.signal(end, handler)


def ask_about(console: Console, call: Mapping[str, Any]) -> Answer:
    """Show a call whole, and ask: yes, no with a reason, or edit.

    Raises:
        KeyboardInterrupt: the person leaves, or there is nobody to answer.
    """
    console.print(described(call))
    try:
        choice = Prompt.ask("Make this call?", console=console, choices=["y", "n", "e"])
        if choice == "y":
            return Answer(decision="approve")
        if choice == "n":
            reason = Prompt.ask("Why not (told to the agent)", console=console, default="")
            return Answer(decision="reject", reason=storable(reason)[:2000])
        return Answer(decision="edit", args=_edited(console, call["args"]))
    except EOFError as error:
        raise KeyboardInterrupt from error


def described(call: Mapping[str, Any]) -> Text:
    """The call for a terminal: whole, and with nothing in it that could steer the terminal."""
    lines = [Text(f"{call['tool']}", style="bold")]
    for name, value in call["args"].items():
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        shown = visible(text)
        lines.append(Text(f"  {visible(name)}: " + shown.replace("\n", "\n    ")))
    task = call.get("task") or {}
    if task:
        lines.append(Text(f"  for task {visible(task['id'])}: {visible(task['title'])}", "dim"))
    lines.append(Text(f"  asked because: {visible(call['why'])}", "dim"))
    if call.get("problem"):
        lines.append(Text(f"  your last answer cannot be used: {visible(call['problem'])}", "red"))
    return Text("\n").join(lines)


def how_to_go_on(thread_id: str, waiting: Sequence["Interrupt"]) -> str:
    """One line for whoever is not at a terminal."""
    call = waiting[0].value
    which = f" --interrupt {waiting[0].id}" if len(waiting) > 1 else ""
    problem = f" (the last answer cannot be used: {call['problem']})" if call["problem"] else ""
    tools = ", ".join(dict.fromkeys(str(one.value["tool"]) for one in waiting))
    line = (
        f"replan: waiting for approval of {tools}{problem}. Go on with: replan resume {thread_id}"
        f"{which} --approve, or --reject REASON, or --edit JSON"
    )
    return visible(" ".join(line.split()))


def _edited(console: Console, args: Mapping[str, Any]) -> dict[str, Any]:
    console.print(Text(f"Now: {visible(json.dumps(args, ensure_ascii=False))}"))
    while True:
        text = Prompt.ask("New arguments, as a JSON object", console=console)
        try:
            return json_object(text, "the answer")
        except UsageError as error:
            console.print(Text(visible(error.what), "red"))
