"""Text in any encoding; the same encoding and line ends for what takes its place."""

import codecs
from dataclasses import dataclass

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # begins like the one of UTF-16
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# Where several fit equally well, the first: many texts are valid in more than one.
_ENCODINGS = (
    "cp1252",
    "gb18030",
    "cp1251",
    "cp932",
    "big5",
    "cp949",
    "euc_jp",
    "koi8_r",
    "cp1250",
    "cp1253",
    "cp1254",
)
_SAMPLE = 64 * 1024
_MAGIC = {
    b"\x89PNG": "a PNG image",
    b"\xff\xd8\xff": "a JPEG image",
    b"GIF8": "a GIF image",
    b"%PDF": "a PDF document",
    b"PK\x03\x04": "a zip archive (or .xlsx, .docx)",
    b"\x1f\x8b": "gzip data",
    b"SQLite format 3": "an SQLite database",
    b"\x7fELF": "a program",
}


@dataclass(frozen=True)
class Text:
    """Decoded bytes.

    Attributes:
        text: without the byte order mark.
        encoding: Python's name of it.
        bom: the byte order mark that stood before the text, or nothing.
    """

    text: str
    encoding: str = "utf-8"
    bom: bytes = b""

    def encoded(self, text: str) -> bytes:
        """Another text in this one's encoding. Raises UnicodeEncodeError when it cannot be."""
        return self.bom + text.encode(self.encoding)

    def with_line_ends(self, text: str) -> str:
        """Another text with CRLF line ends, if this one has no others and that one none of them."""
        crlf = self.text.count("\r\n")
        if crlf and crlf == self.text.count("\n") and "\r" not in text:
            return text.replace("\n", "\r\n")
        return text


def decode(data: bytes, whole: bool = True) -> Text | None:
    """The text that bytes hold; None when they are no text.

    By its byte order mark, else as UTF-8, else by what `charset-normalizer` finds likely.

    Args:
        data: a file's content, or its beginning.
        whole: there is no more of it, so that its last character has to be complete.
    """
    for bom, encoding in _BOMS:
        if data.startswith(bom):
            text = _strictly(data[len(bom) :], encoding, whole)
            return None if text is None else Text(text, encoding, bom)
    if is_binary(data):
        return None
    if (text := _strictly(data, "utf-8", whole)) is not None:
        return Text(text)
    encoding = _likely(data, whole)
    text = _strictly(data, encoding, whole) if encoding else None
    return None if text is None else Text(text, encoding)


def is_binary(data: bytes) -> bool:
    """Whether the first bytes are those of a known kind of file, or hold a NUL."""
    return b"\0" in data[:8192] or any(data.startswith(magic) for magic in _MAGIC)


def kind(data: bytes) -> str:
    """What the first bytes of something that is no text look like, with its article."""
    return next((kind for magic, kind in _MAGIC.items() if data.startswith(magic)), "binary data")


def _strictly(data: bytes, encoding: str, whole: bool) -> str | None:
    try:
        return codecs.getincrementaldecoder(encoding)().decode(data, whole)
    except UnicodeDecodeError:
        return None


def _likely(data: bytes, whole: bool) -> str:
    from charset_normalizer import from_bytes

    # What is not ASCII decides, and may begin late.
    start = max(0, _first_odd(data) - _SAMPLE // 2)
    sample = data[start : start + _SAMPLE]
    if not whole or start + _SAMPLE < len(data):
        sample = sample[: sample.rfind(b"\n")] or sample  # no character cut in two
    found = list(from_bytes(sample, cp_isolation=list(_ENCODINGS)))
    if not found:
        return ""
    best = found[0]
    equal = {
        encoding
        for match in found
        if match.chaos <= best.chaos and match.coherence >= best.coherence
        for encoding in match.could_be_from_charset
    }
    return next((encoding for encoding in _ENCODINGS if encoding in equal), "")


def _first_odd(data: bytes) -> int:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start
    return 0
