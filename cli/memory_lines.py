"""Memories in lines for a person. Their text may come from anywhere: none of it is printed raw."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len, set_cell_size
from rich.console import Console

from replan.cli.printable import put, visible
from replan.state.memory import Found, Memory

if TYPE_CHECKING:
    from replan.memory.catalogue import Stats

_PIPED_WIDTH = 200
_TEXT_CHARS = 200
_ID_CHARS = 10


def short_id(memory_id: str) -> str:
    """The beginning of an id: enough to name it by."""
    return memory_id[:_ID_CHARS]


def one_line(text: str, most: int = _TEXT_CHARS) -> str:
    """A text's beginning on one line, fit for a terminal."""
    # Cut first: of a text put in by others the size is not known.
    line = " ".join(text[: most * 4].split())
    return visible(line if len(line) <= most else f"{line[: most - 4]} ...")


def print_memories(memories: Sequence[Memory]) -> None:
    """A line each; what is not true any more says so."""
    rows = [
        (short_id(one.id), one.kind, _day(one.learned), str(one.times), _marked(one))
        for one in memories
    ]
    _print(("id", "kind", "learned", "times", "text"), rows, "No memories.")


def print_found(found: Sequence[Found]) -> None:
    """A line each, the best first, with what it was ranked by."""
    rows = []
    for one in found:
        alike = "-" if one.similarity is None else f"{one.similarity:.3f}"
        named = (short_id(one.memory.id), one.memory.kind, _marked(one.memory))
        rows.append((f"{one.score:.4f}", alike, *named))
    _print(("score", "similarity", "id", "kind", "text"), rows, "Nothing fits.")


def print_stats(stats: "Stats", model: str) -> None:
    """A line an owner and kind, and how the index is.

    Args:
        stats: what is kept.
        model: the embedding model of the settings, "" without one.
    """
    true, ended = (sum(getattr(one, name) for one in stats.counts) for name in ("count", "ended"))
    put(f"{true + ended:,} memories, {stats.bytes:,} bytes")
    rows = [
        (one.user, one.project, one.kind, str(one.count), str(one.ended)) for one in stats.counts
    ]
    if rows:
        _print(("user", "project", "kind", "true", "ended"), rows, "")
    state, waiting = f"index: {stats.state}", ""
    if stats.waiting:
        waiting = f", {max(true - stats.waiting, 0):,} of {true:,} memories have a vector"
    made_by = f", {stats.dims} numbers a vector, by {visible(stats.made_by)}"
    put(f"{state}{made_by if stats.made_by else ''}{waiting}")
    if not model:
        put("there is no embedding model: memories are found by words alone")
    elif stats.made_by not in ("", model):
        put(f"the embedding model is {visible(model)}: the next search or run makes them anew")


def whole(memory: Memory) -> list[str]:
    """All that is known of a memory."""
    times = f", {memory.times} times" if memory.times > 1 else ""
    lines = [
        f"memory {memory.id}",
        f"  {memory.kind}, learned {_moment(memory.learned)}{times}, "
        f"importance {memory.importance:g}",
    ]
    if memory.outcome:
        lines.append(f"  outcome: {memory.outcome}")
    source = memory.source
    if source.thread:
        at = f", checkpoint {source.checkpoint}" if source.checkpoint else ""
        lines.append(f"  from thread {source.thread}{at}")
    if source.told_by:
        lines.append(f"  told by {source.told_by}")
    if memory.ended is not None:
        lines.append(f"  not true any more since {_moment(memory.ended)}")
    if memory.superseded_by:
        lines.append(f"  superseded by {memory.superseded_by}")
    lines += ["", *memory.text.splitlines()]
    for name, value in memory.detail.items():
        text = value if isinstance(value, str) else json.dumps(
            value, ensure_ascii=False, indent=1, default=str
        )  # fmt: skip
        lines += ["", f"{name}:", *(f"  {line}" for line in text.splitlines())]
    return [visible(line) for line in lines]


def of_a_run(memories: object) -> list[str]:
    """What a run recalled and learned, a line each: from its channel `memories`, which a run of
    before it, or of another graph, may lack.
    """
    if not isinstance(memories, Mapping):
        return []
    lines = [f"recalled {_named(one)}" for one in _entries(memories.get("recalled"))]
    for one in _entries(memories.get("learned")):
        how = {"known": ", known before", "superseding": ", in place of an older one"}.get(
            str(one.get("how")), ""
        )
        lines.append(f"learned {_named(one, how)}")
    return lines


def _entries(value: object) -> Iterable[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []


def _named(entry: Mapping[str, Any], how: str = "") -> str:
    kind, name = str(entry.get("kind", "")), short_id(str(entry.get("id", "")))
    return f"{visible(kind)} {visible(name)}{how}: {one_line(str(entry.get('text', '')))}"


def _marked(memory: Memory) -> str:
    text = one_line(memory.text)
    if memory.superseded_by:
        return f"(superseded by {visible(short_id(memory.superseded_by))}) {text}"
    return f"(not true any more since {_day(memory.ended)}) {text}" if memory.ended else text


def _day(moment: datetime | None) -> str:
    return str(moment)[:10] if moment else ""


def _moment(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC" if moment else "at an unknown time"


def _print(names: Sequence[str], rows: Sequence[Sequence[str]], none: str) -> None:
    """A table whose last column takes what room is left."""
    if not rows:
        put(none)
        return
    shown = [[visible(cell) for cell in row] for row in (names, *rows)]
    widths = [max(map(cell_len, column)) for column in list(zip(*shown, strict=True))[:-1]]
    console = Console()
    # Whoever reads a pipe wants the whole line.
    room = (console.width if console.is_terminal else _PIPED_WIDTH) - sum(widths) - 2 * len(widths)
    room = max(room, 10)
    lines = []
    for row in shown:
        cells = map(set_cell_size, row, widths)  # ends with the widths, before the last
        text = row[-1] if cell_len(row[-1]) <= room else f"{set_cell_size(row[-1], room - 1)}…"
        lines.append("  ".join([*cells, text]))
    put("\n".join(lines))
