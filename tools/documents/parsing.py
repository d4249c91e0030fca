"""Gets the text out of a document. Runs as a process of its own, which may be killed.

It reads requests, a JSON object a line, and answers each with one: see `ParserProcess`.
"""

import json
import logging
import sys
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any

MOST_CHARS = 2_000_000
_MOST_PAGES = 2000
_MOST_UNPACKED = 200_000_000
_MEMORY = 3 * 2**30

Parts = list[dict[str, str]]


class UnreadableError(Exception):
    """The document cannot be read; its text says why, and goes with "it"."""


def parse(path: Path, kind: str, charset: str = "") -> dict[str, Any]:
    """The document's text.

    Args:
        path: the file.
        kind: text, html, pdf or docx.
        charset: what its sender called its charset, "" when unknown.

    Returns:
        `title` and `date` (each "" when unknown), and `parts`, each with a `place` ("page 3", or
        "" for a file that is counted by lines) and its `text`.

    Raises:
        UnreadableError: it cannot be read.
    """
    readers = {"text": _text, "html": _html, "pdf": _pdf, "docx": _docx}
    found = readers[kind](path, charset)
    room = MOST_CHARS
    for part in found["parts"]:
        part["text"] = part["text"].replace("\0", "")[:room]
        room -= len(part["text"])
    found["parts"] = [part for part in found["parts"] if part["text"].strip()]
    if not found["parts"]:
        raise UnreadableError("it holds no text")
    return found


def _found(parts: Parts, title: str | None = "", date: str | None = "") -> dict[str, Any]:
    return {"title": title or "", "date": date or "", "parts": parts}


def decoded(data: bytes, charset: str) -> str:
    """The bytes as text: by their own mark, the named charset, UTF-8, or the likeliest one."""
    for mark, name in (
        (b"\xef\xbb\xbf", "utf-8-sig"),
        (b"\xff\xfe", "utf-16"),
        (b"\xfe\xff", "utf-16"),
    ):
        if data.startswith(mark):
            return data.decode(name, "replace")
    for name in (charset, "utf-8"):
        with suppress(LookupError, UnicodeDecodeError):
            return data.decode(name or "utf-8")
    from charset_normalizer import from_bytes

    likeliest = from_bytes(data[:200_000]).best()
    return data.decode(likeliest.encoding if likeliest else "utf-8", "replace")


def _text(path: Path, charset: str) -> dict[str, Any]:
    data = path.read_bytes()
    if b"\0" in data[:4096] and not data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise UnreadableError("it is no text")
    return _found([{"place": "", "text": decoded(data, charset)}])


def _html(path: Path, charset: str) -> dict[str, Any]:
    import trafilatura

    data = path.read_bytes()
    # Without a name from outside, trafilatura looks for the one in the page.
    page: Any = decoded(data, charset) if charset else data
    tree = trafilatura.load_html(page)
    if tree is None:
        raise UnreadableError("it is no web page")
    about = trafilatura.extract_metadata(tree)
    text = trafilatura.extract(page, favor_recall=True, include_comments=False) or ""
    # What is too short to be told from the page's frame is taken with it.
    text = text if len(text) > 200 else trafilatura.html2txt(page) or text
    parts = [{"place": "", "text": text}]
    return _found(parts, about.title if about else "", about.date if about else "")


def _pdf(path: Path, charset: str) -> dict[str, Any]:
    from pypdf import PdfReader

    reader = PdfReader(path)
    if reader.is_encrypted and not reader.decrypt(""):
        raise UnreadableError("it is encrypted")
    parts, room = [], MOST_CHARS
    for number, page in enumerate(reader.pages[:_MOST_PAGES], 1):
        text = page.extract_text()
        parts.append({"place": f"page {number}", "text": text})
        room -= len(text)
        if room <= 0:
            break
    title = reader.metadata.title if reader.metadata else ""
    return _found(parts, title if isinstance(title, str) else "")


def _docx(path: Path, charset: str) -> dict[str, Any]:
    import docx
    from docx.table import Table

    with zipfile.ZipFile(path) as archive:
        # Nothing is unpacked beyond the size that its entry names.
        unpacked = sum(entry.file_size for entry in archive.infolist())
    if unpacked > _MOST_UNPACKED:
        raise UnreadableError(f"unpacked it would have {unpacked / 1e6:,.0f} MB")
    document = docx.Document(str(path))
    lines = []
    for block in document.iter_inner_content():
        if isinstance(block, Table):
            lines += [" | ".join(cell.text for cell in row.cells) for row in block.rows]
        else:
            lines.append(block.text)
    return _found([{"place": "", "text": "\n".join(lines)}], document.core_properties.title)


def _confine() -> None:
    """Little memory, no file to write: what a hostile document makes of its parser stays small."""
    with suppress(ImportError):
        import resource

        limits = {"RLIMIT_AS": _MEMORY, "RLIMIT_FSIZE": 0, "RLIMIT_CORE": 0}
        for name, most in limits.items():
            with suppress(ValueError, OSError):
                resource.setrlimit(getattr(resource, name), (most, most))


def _answer(line: str) -> dict[str, Any]:
    asked = json.loads(line)
    try:
        return parse(Path(asked["path"]), asked["kind"], asked["charset"])
    except UnreadableError as error:
        return {"problem": str(error)}
    except MemoryError:
        return {"problem": "reading it takes too much memory"}
    except OSError as error:
        return {"problem": f"it cannot be read: {error.strerror or type(error).__name__}"}
    except Exception as error:
        return {"problem": f"it cannot be read: {type(error).__name__}"}


def main() -> None:
    """Answer until the input ends."""
    logging.disable()
    _confine()
    answers, sys.stdout = sys.stdout, sys.stderr  # what a parser prints is no answer
    for line in sys.stdin:
        answers.write(json.dumps(_answer(line)) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
