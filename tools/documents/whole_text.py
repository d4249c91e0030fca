"""The whole text of one of the user's documents, read anew."""

import asyncio
from pathlib import Path

from replan.state.settings import settings
from replan.tools.documents.parser_process import KINDS, ParserProcess


def documents_folder(named: str) -> str:
    """The folder of the user's documents: the one named, else the setting's; "" for none."""
    return str(named or settings().replan_documents or "")


async def whole_text(folder: str, path: str, parser: ParserProcess) -> str:
    """The document's text; "" where it is gone, cannot be read, or lies outside the folder.

    Args:
        folder: of the documents.
        path: relative to it.
        parser: reads it.
    """
    file = await asyncio.to_thread(_inside, folder, path)
    if file is None:
        return ""
    parsed = await parser.parse(file, KINDS[file.suffix.lower()])
    return "\n".join(part.text for part in parsed.parts)


def _inside(folder: str, path: str) -> Path | None:
    root = Path(folder).expanduser().resolve()
    file = (root / path).resolve()
    readable = file.is_relative_to(root) and file.is_file() and file.suffix.lower() in KINDS
    return file if readable else None
