"""What a person sees of a run: a live plan on a terminal, plain lines elsewhere."""

import sys
import time
from typing import Any, Protocol, Self

from rich.console import Console, Group
from rich.live import Live
from rich.markup import escape
from rich.spinner import Spinner
from rich.text import Text

from replan.cli.printable import visible
from replan.state.usage import Usage, add_usage

_MARKS = {"open": "·", "done": "✓", "failed": "✗", "dropped": "–"}
_LINE_CHARS = 160


class View(Protocol):
    """Shows progress and the stream's events; a context manager around the run."""

    def __enter__(self) -> Self: ...
    def __exit__(self, *exc: object) -> None: ...
    def progress(self, what: str, part: float) -> None:
        """Something that takes long before the run: `part` is 0 to 1."""
        ...

    def show(self, mode: str, event: Any, part: tuple[str, ...] = ()) -> None:
        """An event of the graph's stream, mode `custom` or `updates`; of a graph inside it, with
        its namespace.
        """
        ...


def open_view(thread_id: str, quiet: bool) -> View:
    """The live view on a terminal, plain lines otherwise. Both write to standard error."""
    console = Console(stderr=True, highlight=False)
    if console.is_terminal and not quiet:
        return LiveView(console, thread_id)
    return PlainView(thread_id)


class Story:
    """Turns events into lines, and counts what was used."""

    def __init__(self) -> None:
        self.tasks: dict[str, dict[str, Any]] = {}
        self.usage: Usage = {}
        self.doing = "starting"
        self._parts: dict[str, str] = {}

    def lines(self, mode: str, event: Any, part: tuple[str, ...] = ()) -> list[str]:
        """What is worth a line of its own; of a part of the graph, with its name before it."""
        if part and mode != "custom":  # what a part used, the node that called it says
            return []
        lines = self._custom(event) if mode == "custom" else self._updates(event)
        if part:
            name = self._parts.get("|".join(part), part[-1].partition(":")[0])
            lines = [f"{name} | {line.strip()}" for line in lines]
        return [visible(line) for line in lines]

    def _custom(self, event: dict[str, Any]) -> list[str]:
        kind = event.get("event")
        if kind == "role":
            self.doing = f"{event['role']} ({event['implementation']})"
            return []
        if kind == "progress":
            self.doing = str(event["what"])
            return []
        if kind == "note":
            return [str(event["what"])]
        if kind == "action":
            said = [f"  {event['tool']} {short_arguments(event['args'])}"]
            return [f"  thinks: {event['thought']}", *said] if event.get("thought") else said
        if kind == "observation":
            outcome = "ok" if event["ok"] else f"failed: {event['error']}"
            changed = f"; changed {', '.join(event['changed'][:6])}" if event["changed"] else ""
            return [f"    {outcome}{changed} ({event['seconds']:.1f} s)"]
        if kind == "verdict":
            return [f"  {event['verdict']}: {event['reason']}"]
        if kind == "section":
            return [f"section {event['section']}: {event['heading']}"]
        if kind == "gather":
            self._parts[event["namespace"]] = event["section"]
            return [f"{event['section']} gathers its sources"]
        if kind == "claims":
            return [f"{event['section']} has {event['claims']} statements"]
        if kind == "checked":
            return [f"checked: {event['held']} hold, {event['dropped']} do not as they were stated"]
        if kind == "recalled":
            return [f"  as in an earlier run: memory {event['memory'][:10]}"]
        if kind == "task":
            again = f" (round {event['round'] + 1})" if event["round"] else ""
            return [f"task {event['task']}{again}: {event['title']}"]
        return []

    def _updates(self, event: dict[str, Any]) -> list[str]:
        lines: list[str] = []
        for node, update in event.items():
            if not isinstance(update, dict):
                continue
            self.usage = add_usage(self.usage, _plain_usage(update.get("usage")))
            tasks = update.get("tasks")
            if isinstance(tasks, dict):
                self.tasks.update(tasks)
            if node == "recall" and update.get("recalled"):
                count = len(update["recalled"])
                lines.append(f"recalls {count} {'memory' if count == 1 else 'memories'}")
            elif node == "plan":
                lines.append("plan:")
                lines += [
                    f"  {task['id']}. {task['title']}"
                    for task in (tasks or {}).values()
                    if task["status"] == "open"
                ]
            elif node == "review" and update.get("decision") not in ("next", None):
                lines.append(f"review: {update['decision']}: {update.get('reason', '')}")
        return lines

    def counts(self) -> str:
        """Steps and tokens so far."""
        usage = self.usage
        tokens = usage.get("input_tokens", 0) + usage.get("output_tokens", 0)
        return f"{usage.get('steps', 0)} steps, {tokens:,} tokens"


class PlainView:
    """A line an event, with the seconds since the start: for logs and pipes."""

    def __init__(self, thread_id: str) -> None:
        self._story = Story()
        self._started = time.monotonic()
        self._last = ""
        self._thread_id = thread_id

    def __enter__(self) -> Self:
        self._line(f"thread {self._thread_id}")
        return self

    def __exit__(self, *exc: object) -> None:
        return None

    def progress(self, what: str, part: float) -> None:
        """A line each tenth."""
        line = f"{what} {int(part * 10) * 10} %" if part else what
        if line != self._last:
            self._last = line
            self._line(line)

    def show(self, mode: str, event: Any, part: tuple[str, ...] = ()) -> None:
        """The event's lines."""
        for line in self._story.lines(mode, event, part):
            self._line(line)

    def _line(self, text: str) -> None:
        elapsed = time.monotonic() - self._started
        first = " ".join(visible(text).splitlines()[:1])[: _LINE_CHARS * 2] if text else ""
        print(f"[{elapsed:6.1f}s] {first}", file=sys.stderr, flush=True)


class LiveView:
    """The plan with its state, the latest lines above it, elapsed time and tokens below."""

    def __init__(self, console: Console, thread_id: str) -> None:
        self._console = console
        self._thread_id = thread_id
        self._story = Story()
        self._started = time.monotonic()
        self._spinner = Spinner("dots")
        self._live = Live(
            console=console, refresh_per_second=8, transient=True, get_renderable=self._render
        )

    def __enter__(self) -> Self:
        self._console.print(f"[dim]thread {self._thread_id}[/]")
        self._live.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._live.stop()

    def progress(self, what: str, part: float) -> None:
        """On one line that is written over."""
        shown = f" {part:.0%}" if part else ""
        self._console.print(f"[dim]{escape(visible(what))}{shown}[/]", end="\r")

    def show(self, mode: str, event: Any, part: tuple[str, ...] = ()) -> None:
        """The event's lines above, the plan below."""
        for line in self._story.lines(mode, event, part):
            text = Text(line.splitlines()[0][: _LINE_CHARS * 2] if line else "")
            self._live.console.print(text, overflow="ellipsis", no_wrap=True)

    def _render(self) -> Group:
        rows = []
        for task in self._story.tasks.values():
            if task["status"] == "dropped":
                continue
            title = visible(task["title"].splitlines()[0][:_LINE_CHARS])
            rows.append(Text(f"{_MARKS[task['status']]} {title}", overflow="ellipsis"))
        elapsed = time.monotonic() - self._started
        doing = f" {self._story.doing}  {elapsed:.0f} s, {self._story.counts()}"
        self._spinner.update(text=Text(doing))
        return Group(*rows, self._spinner)


def short_arguments(args: dict[str, Any]) -> str:
    """Arguments of a tool call in one line: of a long text its first line and its length."""
    shown = []
    for name, value in args.items():
        text = str(value)
        first = text.splitlines()[0] if text else ""
        more = f" ... ({len(text.splitlines())} lines)" if "\n" in text else ""
        shown.append(f"{name}={first[:80]}{more}")
    return ", ".join(shown)


def _plain_usage(usage: Any) -> Usage:
    value = getattr(usage, "value", usage)  # recall replaces the last run's usage: Overwrite
    return value if isinstance(value, dict) else {}  # type: ignore[return-value]
