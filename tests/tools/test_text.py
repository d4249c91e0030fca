"""Text in every usual encoding is read, and what takes its place is written likewise."""

import codecs

import pytest

from replan.tools.text import decode
from replan.tools.workspace import Workspace

WESTERN = "Größe: 5 m²\nNaïve café – „Straße“ für Zoë\n"
TEXTS = [
    ("utf-8", WESTERN + "中文"),
    ("utf-8-sig", WESTERN),
    ("utf-16", "中文 und Größe\n"),
    ("utf-32", "中文 und Größe\n"),
    ("cp1252", WESTERN),
    ("cp1252", "name,city\nJosé,Málaga\n"),
    ("cp1250", "Zażółć gęślą jaźń, to jest polski plik.\n"),
    ("cp1251", "Привет, мир! Это текстовый файл.\n"),
    ("gb18030", "姓名,城市\n张三,北京\n李四,上海\n"),
    ("big5", "這是繁體中文的文字檔案。\n"),
    ("cp932", "これは日本語のテキストです。\n"),
    ("cp949", "한국어 텍스트 파일입니다.\n"),
]


@pytest.mark.parametrize(("encoding", "text"), TEXTS)
async def test_it_is_read_edited_and_written(
    call, workspace: Workspace, encoding: str, text: str
) -> None:
    file = workspace.path / "a.txt"
    file.write_bytes((text * 3 + "last\n").encode(encoding))
    assert (await call("read_file", path="a.txt")).text == (text * 3 + "last")
    assert await workspace.read_text("a.txt", 10) == text[:10]
    seen = await call("edit_file", path="a.txt", edits=[{"old": "last", "new": "end"}])
    assert seen.ok, seen.error
    assert file.read_bytes() == (text * 3 + "end\n").encode(encoding)
    seen = await call("write_file", path="a.txt", text=text)
    assert file.read_bytes() == text.encode(encoding)
    assert ("as it was" in seen.text) is not encoding.startswith("utf-8")


@pytest.mark.parametrize("encoding", ["cp1252", "gb18030"])
def test_far_down_and_cut_in_a_character(encoding: str) -> None:
    odd = {"cp1252": WESTERN, "gb18030": "姓名,城市,张三,北京\n"}[encoding]
    data = ("plain ASCII\n" * 50_000 + odd * 5000).encode(encoding)
    found = decode(data)
    assert (found and found.encoding) == encoding
    cut = data[: data.rindex(odd[-6:-2].encode(encoding)) + 1]
    found = decode(cut, whole=False)
    assert (found and found.encoding) == encoding


@pytest.mark.parametrize(
    "data",
    [
        bytes(range(256)) * 20,
        bytes(range(1, 256)) * 20,
        b"\x89PNG\r\n",
        b"%PDF-1.7\n",
        codecs.BOM_UTF16_LE + b"a",
        codecs.BOM_UTF16_LE + b"\x00\xd8a\x00",
        codecs.BOM_UTF8 + b"caf\xe9",
    ],
)
def test_what_is_no_text(data: bytes) -> None:
    assert decode(data) is None


async def test_line_ends_are_kept(call, workspace: Workspace) -> None:
    file = workspace.path / "a.txt"
    for before, text, after in (
        (b"a\r\nb\r\n", "c\nd\n", b"c\r\nd\r\n"),
        (b"a\r\nb\n", "c\nd\n", b"c\nd\n"),
        (b"a\n", "c\nd\n", b"c\nd\n"),
        (b"a\r\n", "c\r\nd\n", b"c\r\nd\n"),
        (b"\xef\xbb\xbfa\r\n", "c\n", b"\xef\xbb\xbfc\r\n"),
    ):
        file.write_bytes(before)
        assert (await call("write_file", path="a.txt", text=text)).ok
        assert file.read_bytes() == after


async def test_what_an_encoding_lacks(call, workspace: Workspace) -> None:
    file = workspace.path / "a.txt"
    file.write_bytes(WESTERN.encode("cp1252"))
    seen = await call("edit_file", path="a.txt", edits=[{"old": "5 m²", "new": "文"}])
    assert "a.txt is in cp1252, which has no '文'" in seen.error
    assert file.read_bytes() == WESTERN.encode("cp1252")
    seen = await call("write_file", path="a.txt", text="文\n")
    assert (seen.ok, "as it was" in seen.text) == (True, False)
    assert file.read_bytes() == "文\n".encode()
    seen = await call("write_file", path="a.txt", text="\ud800")
    assert "not valid Unicode" in seen.error


async def test_over_a_binary_file_it_is_utf8(call, workspace: Workspace) -> None:
    file = workspace.path / "a.bin"
    file.write_bytes(b"\x89PNG\0\0")
    assert (await call("write_file", path="a.bin", text="é")).ok
    assert file.read_bytes() == "é".encode()
