"""What a goal wants of each file of a folder, and of what it unpacks."""

import pytest

from replan.nodes.decompose.each_file import checks_of_each
from replan.nodes.named_files import named_files

GUIDE = ["guide/a.md", "guide/b.md", "x.zip"]


@pytest.mark.parametrize(
    ("goal", "line"),
    [
        ('Put the line "[I](i.md)" at the very end of each of the files in guide/', "[I](i.md)"),
        ("In guide/, add a new line 'It is so.' at the top of every file", "It is so."),
        ("在 guide/ 里每个文件的末尾加上“完”", "完"),
        ('Put the line "x" at the end of guide/a.md', ""),
        ("Put the line at the end of each file in guide/", ""),
        ('Put the line "x" at the end of each file', ""),
    ],
)
def test_each_file_has_the_line(goal: str, line: str) -> None:
    found = {(one.kind, one.path, one.text) for one in checks_of_each(goal, [], GUIDE)}
    wanted = {("file_contains", path, line) for path in GUIDE[:2]}
    assert found == (wanted if line else set())


@pytest.mark.parametrize(
    ("goal", "folder"),
    [
        ("Unpack x.zip into out/", "out/"),
        ("把 x.zip 解压到 out/", "out/"),
        ("Move the files into out/", ""),
        ("Extract the names into names.txt", ""),
    ],
)
def test_what_is_unpacked_is_there(goal: str, folder: str) -> None:
    found = [(one.kind, one.path) for one in checks_of_each(goal, [], GUIDE)]
    assert found == ([("file_exists", folder)] if folder else [])
    assert checks_of_each(goal, [], GUIDE[:2]) == []


def test_where_a_link_goes_is_no_file_to_make() -> None:
    goal = 'Make guide/index.md with a line "- [title](file.md)" per file'
    assert named_files(goal, GUIDE) == ["guide/index.md"]
    assert named_files('Mend "[A](b.md)"', ["b.md"]) == ["b.md"]
