"""Documents of every kind, whole, broken and hostile, through the real parser process."""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest
from documents_made import make_docx, make_docx_bomb, make_pdf

from replan.tools.documents.parser_process import KINDS, ParserProcess


@pytest.fixture
async def parser() -> AsyncIterator[ParserProcess]:
    async with ParserProcess(20) as parser:
        yield parser


def parsers() -> list[psutil.Process]:
    """Those this process has started; what other tests leave to it does not count."""
    module = "replan.tools.documents.parsing"
    return [one for one in psutil.Process().children() if runs(one, module)]


def runs(process: psutil.Process, module: str) -> bool:
    try:
        return module in process.cmdline()
    except psutil.Error:  # it has just ended
        return False


async def text_of(parser: ParserProcess, path: Path) -> str:
    parsed = await parser.parse(path, KINDS[path.suffix])
    assert not parsed.problem
    return "\n".join(part.text for part in parsed.parts)


async def test_pdf_by_page(parser: ParserProcess, tmp_path: Path) -> None:
    make_pdf(tmp_path / "a.pdf", ["First page", "Second page"])
    parsed = await parser.parse(tmp_path / "a.pdf", "pdf")
    assert [(part.place, part.text.strip()) for part in parsed.parts] == [
        ("page 1", "First page"),
        ("page 2", "Second page"),
    ]


async def test_docx_with_table(parser: ParserProcess, tmp_path: Path) -> None:
    make_docx(tmp_path / "a.docx", ["One paragraph.", "第二段。"])
    text = await text_of(parser, tmp_path / "a.docx")
    assert text == "One paragraph.\n第二段。\nleft cell | right cell"


async def test_html_without_its_frame(parser: ParserProcess, tmp_path: Path) -> None:
    story = "The bridge was opened in 1893 and painted light blue by its engineers. " * 6
    (tmp_path / "a.html").write_text(
        f"<html><head><title>Bridges</title></head><body><nav><a href=/>Home</a></nav>"
        f"<article><p>{story}</p></article><script>evil()</script></body></html>"
    )
    parsed = await parser.parse(tmp_path / "a.html", "html")
    assert parsed.title == "Bridges"
    assert "opened in 1893" in parsed.parts[0].text
    assert "evil" not in parsed.parts[0].text


@pytest.mark.parametrize("charset", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
async def test_text_in_any_encoding(parser: ParserProcess, tmp_path: Path, charset: str) -> None:
    (tmp_path / "a.txt").write_text("工作满一年的员工每年有五天带薪休假。" * 10, encoding=charset)
    assert "带薪休假" in await text_of(parser, tmp_path / "a.txt")


async def test_what_cannot_be_read_has_a_problem_and_the_next_is_read(
    parser: ParserProcess, tmp_path: Path
) -> None:
    make_pdf(tmp_path / "whole.pdf", ["Whole"])
    whole = (tmp_path / "whole.pdf").read_bytes()
    make_pdf(tmp_path / "locked.pdf", ["Secret"], password="open sesame")
    (tmp_path / "corrupt.pdf").write_bytes(b"%PDF-1.4\n" + os.urandom(2000))
    (tmp_path / "cut.docx").write_bytes(b"PK\x03\x04 no archive")
    (tmp_path / "empty.md").write_text(" \n")
    (tmp_path / "binary.txt").write_bytes(b"\0\1\2" * 100)
    make_docx_bomb(tmp_path / "bomb.docx", 210)
    assert (tmp_path / "bomb.docx").stat().st_size < 1_000_000
    problems = {}
    for path in await asyncio.to_thread(lambda: sorted(tmp_path.iterdir())):
        problems[path.name] = (await parser.parse(path, KINDS[path.suffix])).problem
    assert problems.pop("whole.pdf") == ""
    assert problems == {
        "binary.txt": "it is no text",
        "bomb.docx": "unpacked it would have 210 MB",
        "corrupt.pdf": problems["corrupt.pdf"],
        "cut.docx": "it cannot be read: BadZipFile",
        "empty.md": "it holds no text",
        "locked.pdf": "it is encrypted",
    }
    assert problems["corrupt.pdf"].startswith("it cannot be read: ")
    (tmp_path / "whole.pdf").write_bytes(whole)
    assert await text_of(parser, tmp_path / "whole.pdf") == "Whole"
    gone = await parser.parse(tmp_path / "gone.md", "text")
    assert gone.problem == "it cannot be read: No such file or directory"


async def test_a_parser_that_hangs_is_ended_and_started_anew(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "never.txt")  # a read of it never ends
    (tmp_path / "a.txt").write_text("fine")
    async with ParserProcess(4) as parser:
        began = time.monotonic()
        parsed = await parser.parse(tmp_path / "never.txt", "text")
        assert parsed.problem == "reading it takes longer than 4 s"
        assert time.monotonic() - began < 15
        assert parsers() == []
        assert await text_of(parser, tmp_path / "a.txt") == "fine"
    assert parsers() == []


async def test_a_parser_that_dies_is_started_anew(parser: ParserProcess, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("fine")
    await text_of(parser, tmp_path / "a.txt")
    os.mkfifo(tmp_path / "never.txt")
    parsing = asyncio.create_task(parser.parse(tmp_path / "never.txt", "text"))
    await asyncio.sleep(0.2)
    parsers()[0].kill()
    assert (await parsing).problem == "reading it breaks its parser"
    assert await text_of(parser, tmp_path / "a.txt") == "fine"


async def test_the_parser_has_no_secret(
    parser: ParserProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TAVILY_API_KEY", "tvly-s3cret")
    (tmp_path / "a.txt").write_text("fine")
    await text_of(parser, tmp_path / "a.txt")
    assert parsers()[0].environ() == {}


async def test_a_document_that_takes_all_memory(parser: ParserProcess, tmp_path: Path) -> None:
    with (tmp_path / "sparse.txt").open("wb") as file:
        file.write(b"words ")
        file.truncate(4 * 2**30)
    parsed = await parser.parse(tmp_path / "sparse.txt", "text")
    assert parsed.problem == "reading it takes too much memory"
