"""Has documents parsed by another process: a hostile one hangs or bursts that, not the agent."""

import asyncio
import json
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

_SECONDS = 30.0
_ANSWER_BYTES = 32 * 2**20  # 2 million characters, each written as \uXXXX twice at most

KINDS = {
    ".md": "text",
    ".markdown": "text",
    ".txt": "text",
    ".rst": "text",
    ".html": "html",
    ".htm": "html",
    ".pdf": "pdf",
    ".docx": "docx",
}


@dataclass(frozen=True)
class Part:
    """A stretch of text and where it stands, such as "page 3"; "" where lines are counted."""

    place: str
    text: str


@dataclass(frozen=True)
class Parsed:
    """A document's text, or the problem why there is none ("it is encrypted")."""

    parts: tuple[Part, ...] = ()
    title: str = ""
    date: str = ""
    problem: str = ""


class ParserProcess:
    """The other process, started when it is first needed; to be used with `async with`.

    It has nothing of this one's environment, about 3 GB of memory, and no file to write.
    """

    def __init__(self, seconds: float = _SECONDS) -> None:
        self._seconds = seconds
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> "ParserProcess":
        """Nothing is started yet."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Ends the process, whatever it is doing."""
        await self._end()

    async def parse(self, path: Path, kind: str, charset: str = "") -> Parsed:
        """The document's text; whatever is wrong with it is its `problem`.

        Args:
            path: the file.
            kind: one of the values of `KINDS`.
            charset: what its sender called its charset, "" when unknown.
        """
        request = json.dumps({"path": str(path), "kind": kind, "charset": charset})
        try:
            async with asyncio.timeout(self._seconds):
                answer = await self._ask(request)
        except TimeoutError:
            await self._end()
            return Parsed(problem=f"reading it takes longer than {self._seconds:g} s")
        except (OSError, ValueError):
            await self._end()
            return Parsed(problem="reading it breaks its parser")
        except asyncio.CancelledError:
            await self._end()  # its late answer would be taken for that to the next request
            raise
        if "problem" in answer:
            return Parsed(problem=str(answer["problem"]))
        parts = tuple(Part(part["place"], part["text"]) for part in answer["parts"])
        return Parsed(parts, answer["title"], answer["date"])

    async def _ask(self, request: str) -> dict[str, Any]:
        """Raises OSError or ValueError when the process ended or answered nonsense."""
        if self._process is None or self._process.returncode is not None:
            self._process = await _start()
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{request}\n".encode())
        await self._process.stdin.drain()
        answer: dict[str, Any] = json.loads(await self._process.stdout.readline())
        return answer

    async def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        with suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


async def _start() -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-I",
        "-m",
        "replan.tools.documents.parsing",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={},
        limit=_ANSWER_BYTES,
    )
