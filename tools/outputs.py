"""Long outputs: the observation has a part of one, and says under which name the rest is read.

What is kept lies in the run's store, in Postgres, under a name made from its content, so that a
checkpoint that mentions it stays true. Nothing of it appears in the workspace. Outside a run there
is no store: then only what is shown remains.
"""

import hashlib
import re
from typing import TYPE_CHECKING

from replan.tools.bounds import bounded
from replan.tools.protocol import ToolError

if TYPE_CHECKING:
    from langgraph.store.base import BaseStore

SHOWN_CHARS = 8000
_PART = 6000
_KEPT_CHARS = 4_000_000
_NAMESPACE = ("outputs",)
_REFERENCE = re.compile(r"output:([0-9a-f]{24})")


def is_reference(path: str) -> bool:
    """Whether a path is the name of a kept output."""
    return bool(_REFERENCE.fullmatch(path))


async def shortened(text: str) -> str:
    """The text, or its head and tail with its size and the name under which it is kept whole.

    Of more than four million characters, those in the middle are not kept either.

    Args:
        text: an observation, without what JSON in Postgres refuses.
    """
    if len(text) <= SHOWN_CHARS:
        return text
    shown = f"{bounded(text, _PART)}\n[in all {len(text):,} characters"
    path = await _keep(bounded(text, _KEPT_CHARS))
    return f"{shown}; to read the rest: read_file {path}]" if path else f"{shown}]"


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
