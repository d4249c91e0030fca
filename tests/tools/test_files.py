import pytest

from replan.state.task import Observation
from replan.tools.workspace import Workspace


async def test_read_file_whole(call, workspace: Workspace) -> None:
    await workspace.write_text("a.txt", "\ufeffone\n  two\n")
    seen: Observation = await call("read_file", path="a.txt")
    assert (seen.ok, seen.text, seen.changed) == (True, "one\n  two", [])


async def test_reading_on_gives_every_line_once(call, workspace: Workspace) -> None:
    lines = [f"line {number} {'x' * 40}" for number in range(1, 501)]
    await workspace.write_text("long.txt", "\n".join(lines))
    found: list[str] = []
    start = 1
    for _ in range(20):
        text = (await call("read_file", path="long.txt", start=start)).text
        assert len(text) < 6200
        body, mark, note = text.rpartition("\n[lines ")
        if not mark:
            found += text.split("\n")
            break
        found += body.split("\n")
        assert note.startswith(f"{start} to ")
        assert "of 500; to read on: start " in note
        start = int(note.rstrip("]").rsplit(" ", 1)[1])
    assert found == lines


async def test_read_file_range(call, workspace: Workspace) -> None:
    await workspace.write_text("a.txt", "1\n2\n3\n4\n")
    assert (await call("read_file", path="a.txt", start=2, end=3)).text == "2\n3"
    assert (await call("read_file", path="a.txt", end=99)).text == "1\n2\n3\n4"
    assert (await call("read_file", path="a.txt", start=9)).text == "(a.txt has only 4 lines)"


async def test_read_file_of_odd_content(call, workspace: Workspace) -> None:
    (workspace.path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"\0" * 100)
    (workspace.path / "b.bin").write_bytes(b"ab\0cd")
    (workspace.path / "c.txt").write_bytes("un café noir, déjà".encode("cp1252"))
    await workspace.write_text("d.txt", "")
    await workspace.write_text("e.txt", "x" * 20_000)
    assert "a PNG image: 108 bytes" in (await call("read_file", path="a.png")).text
    assert "binary data: 5 bytes" in (await call("read_file", path="b.bin")).text
    assert (await call("read_file", path="c.txt")).text == "un café noir, déjà"
    assert (await call("read_file", path="d.txt")).text == "(d.txt is empty)"
    assert len((await call("read_file", path="e.txt")).text) < 6200


@pytest.mark.parametrize("path", ["no.txt", ".", "../a", "/etc/passwd", "a\0"])
async def test_read_file_refuses(call, path: str) -> None:
    seen = await call("read_file", path=path)
    assert not seen.ok
    assert seen.error
    assert seen.text == ""


async def test_write_file(call, workspace: Workspace) -> None:
    seen = await call("write_file", path="out/a.md", text="# Title\n\ntext\n")
    assert seen.text == "wrote out/a.md (3 lines, 14 characters)"
    assert seen.changed == ["out/a.md"]
    assert await workspace.read_text("out/a.md", 99) == "# Title\n\ntext\n"


@pytest.mark.parametrize(
    ("path", "text", "said"),
    [
        ("a.json", "{", "but it is not valid JSON"),
        ("a.py", "def f(:\n", "but SyntaxError: "),
        ("a.csv", "a,b\n1\n", "but line 2 has 1 columns"),
        ("a.txt", "", "but it is empty"),
    ],
)
async def test_write_file_tells_of_faults_at_once(call, path: str, text: str, said: str) -> None:
    seen = await call("write_file", path=path, text=text)
    assert seen.ok
    assert said in seen.text


async def test_list_files(call, workspace: Workspace) -> None:
    assert (await call("list_files")).text == "the workspace holds no files"
    await workspace.write_text("b/c.txt", "12345")
    await workspace.write_text("bb.txt", "x" * 1234)
    assert (await call("list_files")).text == "b/c.txt  5 bytes\nbb.txt  1,234 bytes"
    assert (await call("list_files", folder="b/")).text == "b/c.txt  5 bytes"
    assert "the folder nix does not exist" in (await call("list_files", folder="nix")).error
    assert "outside" in (await call("list_files", folder="..")).error
    for number in range(250):
        (workspace.path / f"f{number}").touch()
    assert (await call("list_files")).text.endswith("(and 52 more)")


@pytest.mark.parametrize("end", ["\n", "\r\n"])
async def test_the_line_at_the_border_of_what_is_read_first_is_whole(
    call, workspace: Workspace, end: str
) -> None:
    """The first 20 MB end in the middle of it."""
    row = f"{'x' * 40}{end}"
    before = 20 * 1024 * 1024 // len(row)
    border = "begin" + "y" * 100 + "end"
    text = row * before + border + end + row * 3
    (workspace.path / "large.txt").write_bytes(text.encode())
    seen = await call("read_file", path="large.txt", start=before + 1, end=before + 1)
    assert seen.text.splitlines()[0] == border
    both = await call("read_file", path="large.txt", start=before, end=before + 1)
    if border not in both.text:
        on = await call("read_file", **both.rest.args)
        assert (both.text.splitlines()[0], on.text.splitlines()[0]) == ("x" * 40, border)
