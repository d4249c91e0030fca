"""The tool that searches the user's own documents."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

from replan.state.embedding import Embedder
from replan.state.errors import ReplanError
from replan.state.settings import settings
from replan.state.task import Observation, Source
from replan.storage.database import open_database
from replan.storage.document_index import DocumentIndex, Hit, open_document_index
from replan.tools.bounds import clipped, storable
from replan.tools.documents.chunks import words
from replan.tools.documents.indexing import (
    Progress,
    Refreshed,
    made_by,
    refresh,
)
from replan.tools.outside import outside
from replan.tools.protocol import CallContext, ToolError, schema

# Fewer than these, and they are all there is.
RESULTS = 5
_EXCERPT = 1000
_PROBLEMS = 5
_SEARCH_SECONDS = 10.0  # kept back for the search itself, at most half of the call's time


class SearchDocuments:
    """Finds what the documents of a folder say about a question."""

    name = "search_documents"
    description = "search the user's own documents; gives file, place and text"
    parameters: ClassVar[dict[str, Any]] = schema(
        ["query"],
        query={"type": "string", "minLength": 1, "maxLength": 400, "description": "the question"},
    )
    content = None
    content_language = ""
    repeatable = True
    reads_only = True
    subject = "query"

    def __init__(
        self,
        folder: str | Path = "",
        choose_embedder: Callable[[], Embedder | None] | None = None,
        progress: Progress | None = None,
    ) -> None:
        """Makes the tool.

        Args:
            folder: where the documents are; "" for the setting REPLAN_DOCUMENTS.
            choose_embedder: called in a thread for what makes vectors of texts; where there is
                none, the search is by words alone.
            progress: told about what takes longer.
        """
        self._folder = folder
        self._choose_embedder = choose_embedder
        self._progress = progress

    def unavailable(self) -> str:
        """Without a folder there is nothing to search."""
        folder = self._folder or settings().replan_documents
        return "" if folder else "no documents folder is set"

    def told_of(self, goal: str) -> bool:
        """Only where it can be used."""
        return not self.unavailable()

    async def call(self, args: dict[str, Any], context: CallContext) -> Observation:
        """Bring the index up to date as far as time allows, and search it."""
        folder = await asyncio.to_thread(self._existing)
        choose = self._choose_embedder
        embedder = await asyncio.to_thread(choose) if choose else None
        query = str(args["query"])
        seconds = context.seconds - min(_SEARCH_SECONDS, context.seconds / 2)
        database = await open_database(self._told)
        async with open_document_index(database, str(folder), made_by(embedder)) as index:
            try:
                done = await refresh(index, folder, embedder, seconds, self._progress)
                meaning = (await embedder.embed([query], "query"))[0] if embedder else None
            except ReplanError as error:
                raise ToolError(error.what, error.todo) from error
            hits = await index.search(words(query), meaning, RESULTS)
            notes = await _notes(index, done)
        return Observation(
            ok=True, text="\n".join([_shown(hits), *notes]), sources=list(map(_source, hits))
        )

    def _told(self, line: str) -> None:
        if self._progress:
            self._progress(line, 0.0)

    def _existing(self) -> Path:
        named = self._folder or settings().replan_documents
        if not named:
            raise ToolError("no documents folder is set.", "Set REPLAN_DOCUMENTS.")
        folder = Path(named).expanduser().resolve()
        if not folder.is_dir():
            raise ToolError(f"the documents folder {clipped(str(named), 200)} is not there.")
        return folder


def _shown(hits: list[Hit]) -> str:
    if not hits:
        return "The documents say nothing about it."
    lines = [f"{number}. {_told(hit)}" for number, hit in enumerate(hits, 1)]
    return outside("\n".join(lines), "From the documents")


def _source(hit: Hit) -> Source:
    return Source(
        kind="document", name=storable(hit.path), place=hit.place, text=storable(hit.text)
    )


def _told(hit: Hit) -> str:
    where = f"{clipped(_line(hit.path), 300)}, {hit.place}"
    # Line by line, as a list or a table is read; set in, so that no line passes for a place.
    lines = [f"   {_line(line)}" for line in hit.text.splitlines() if line.strip()]
    return f"{where}\n{clipped(chr(10).join(lines), _EXCERPT)}"


async def _notes(index: DocumentIndex, done: Refreshed) -> list[str]:
    """What the answer does not cover."""
    notes = []
    if done.left:
        notes.append(f"{done.left:,} documents are not indexed yet: search again to go on.")
    problems = await index.problems()
    if problems:
        shown = [f"{clipped(path)} ({why})" for path, why in list(problems.items())[:_PROBLEMS]]
        more = f" and {len(problems) - _PROBLEMS:,} more" if len(problems) > _PROBLEMS else ""
        # Names of files come from outside too.
        notes.append(outside(f"{'; '.join(shown)}{more}", "Documents that could not be read"))
    return notes


def _line(text: str) -> str:
    return " ".join(text.split())
