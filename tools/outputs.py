"""Long outputs: the observation has a part of one, and says under which name the rest is read.

What is kept lies in the run's store, in Postgres, under a name made from its content, so that a
checkpoint that mentions it stays true. Nothing of it appears in the workspace. Outside a run there
is no store: then only what is shown remains.
"""

import hashlib
import re
from typing import TYPE_CHECKING

from replan.state.task import Action
from replan.tools.bounds import bounded
from replan.tools.protocol import ToolError

if TYPE_CHECKING:
    from langgraph.store.base import BaseStore

SHOWN_CHARS = 6000
_KEPT_CHARS = 4_000_000
_NAMESPACE = ("outputs",)
_REFERENCE = re.compile(r"output:([0-9a-f]{24})")


def is_reference(path: str) -> bool:
    """Whether a path is the name of a kept output."""
    return bool(_REFERENCE.fullmatch(path))


async def shortened(
    text: str, most: int = SHOWN_CHARS, keep: bool = True
) -> tuple[str, Action | None]:
    """The text, or its head and tail with its size and how it is read whole; and that call.

    Of more than four million characters, those in the middle are not kept either.

    Args:
        text: an observation, without what JSON in Postgres refuses.
        most: characters to show; a third more is shown before anything is left out.
        keep: whether there is a tool to read it with.
    """
    if len(text) <= most * 4 // 3:
        return text, None
    missing = f"{len(text) - most:,} of {len(text):,} characters left out"
    path = await _keep(bounded(text, _KEPT_CHARS)) if keep else ""
    if not path:
        return bounded(text, most, note=missing), None
    shown = bounded(text, most, note=f"{missing}; to read all: read_file {path}")
    return shown, Action(tool="read_file", args={"path": path})


async def read(path: str) -> str:
    """A kept output by its name.

    Raises:
        ToolError: it is not kept here.
    """
    found = _REFERENCE.fullmatch(path)
    item = None
    if found and (store := _store()) is not None:
        item = await store.aget(_NAMESPACE, found[1])
    if item is None:
        raise ToolError(f"{path} is not kept here.", "Make the call again that gave it.")
    return str(item.value["text"])


async def _keep(text: str) -> str:
    store = _store()
    if store is None:
        return ""
    key = hashlib.sha256(text.encode()).hexdigest()[:24]
    try:
        await store.aput(_NAMESPACE, key, {"text": text}, index=False)
    except Exception:  # whatever store it is: the call itself went well, and must not be lost
        return ""
    return f"output:{key}"


def _store() -> "BaseStore | None":
    """The store of the run that this is called in."""
    from langgraph.config import get_store

    try:
        return get_store()
    except (RuntimeError, KeyError):  # in no run
        return None
