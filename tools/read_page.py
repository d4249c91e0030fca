"""The tool that reads a page of the web."""

import asyncio
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from replan.state.settings import settings
from replan.state.task import Action, Observation
from replan.tools.bounds import clipped
from replan.tools.documents.parser_process import Parsed, ParserProcess
from replan.tools.fetching import Fetched, Fetcher
from replan.tools.named_addresses import names_address
from replan.tools.outside import outside
from replan.tools.protocol import ADDRESS, CallContext, ToolError, schema
from replan.tools.search.choice import choose_provider

_SECONDS = 30.0
_SHOWN = 6000
_KINDS = {
    "text/html": "html",
    "application/xhtml+xml": "html",
    "application/pdf": "pdf",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/json": "text",
    "application/xml": "text",
    "": "html",
}


class ReadPage:
    """Fetches a public address and gives its text."""

    name = "read_page"
    description = "read a page or PDF of the web; gives its text, from a character on"
    parameters: ClassVar[dict[str, Any]] = schema(
        ["url"],
        url={"type": "string", "minLength": 8, "maxLength": 2000, "description": "http(s)://..."},
        start={"type": "integer", "minimum": 0, "description": "characters to leave out before"},
    )
    content = None
    content_language = ""
    repeatable = True
    reads_only = True
    subject = ADDRESS
    leaves = True

    def __init__(self, fetcher: Fetcher | None = None) -> None:
        """Takes a fetcher with other rules than those of the settings."""
        self._fetcher = fetcher

    def unavailable(self) -> str:
        """It needs nothing."""
        return ""

    def told_of(self, goal: str) -> bool:
        """Only where there is an address to read, or a search that finds some."""
        return names_address(goal) or choose_provider()[0] is not None

    async def call(self, args: dict[str, Any], context: CallContext) -> Observation:
        """Fetch and read; whatever goes wrong becomes a ToolError in plain words."""
        fetcher = self._fetcher or Fetcher(ports=_ports())

        async def admit(url: str) -> None:
            await context.admit(Action(tool=self.name, args={"url": url}))

        fetched = await fetcher.fetch(str(args["url"]), min(context.seconds, _SECONDS), admit)
        parsed = await _read(fetched)
        if parsed.problem:
            raise ToolError(f"the page cannot be read: {parsed.problem}.")
        text = "\n".join(part.text for part in parsed.parts)
        start = int(args.get("start", 0))
        more = Action(tool=self.name, args={"url": args["url"], "start": start + _SHOWN})
        return Observation(
            ok=True,
            text=_shown(text, start, fetched, parsed),
            rest=more if start + _SHOWN < len(text) else None,
            sources=[clipped(str(args["url"]), 300)],
        )


def _ports() -> Sequence[int]:
    """The ports of the setting REPLAN_PAGE_PORTS."""
    named = settings().replan_page_ports
    try:
        return [int(port) for port in named.split(",")]
    except ValueError as error:
        raise ToolError(
            f"REPLAN_PAGE_PORTS is no list of ports: {clipped(named, 60)!r}.",
            "It looks like 80,443.",
        ) from error


async def _read(fetched: Fetched) -> Parsed:
    kind = _KINDS.get(fetched.media_type) or (
        "text" if fetched.media_type.startswith("text/") else ""
    )
    if fetched.content.startswith(b"%PDF-"):
        kind = "pdf"
    if not kind:
        raise ToolError(f"the page is no text but {clipped(fetched.media_type, 60)}.")
    file = await asyncio.to_thread(_kept, fetched.content)
    try:
        async with ParserProcess() as parser:
            return await parser.parse(file, kind, fetched.charset)
    finally:
        await asyncio.to_thread(file.unlink)


def _kept(content: bytes) -> Path:
    with tempfile.NamedTemporaryFile(prefix="replan-page-", delete=False) as file:
        file.write(content)
        return Path(file.name)


def _shown(text: str, start: int, fetched: Fetched, parsed: Parsed) -> str:
    end = start + _SHOWN
    head = "\n".join(
        line for line in (clipped(parsed.title), clipped(fetched.address, 300), parsed.date) if line
    )
    body = text[start:end]
    if end < len(text):
        body += f"\n[{len(text) - end:,} more characters: read on with start={end}]"
    return outside(f"{head}\n\n{body}", "A page of the web")
