"""What a goal wants of each file of a folder, and of what it unpacks."""

import pytest

from replan.nodes.contract import Brief, DecomposeRequest
from replan.nodes.decompose.each_file import checks_of_each
from replan.nodes.decompose.known_uses import all_kept, surely_used
from replan.nodes.named_files import named_files

NOT_ALL = (
    "every file in guide/ that mentions Oslo",
    "every file in guide/ except guide/a.md",
    "each file in guide/; leave drafts/ alone",
    "each function in guide/",
    "each copy of the files in guide/",
)
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
        *((f'Add the line "Draft" at the end of {rest}', "") for rest in NOT_ALL),
        ("Add the line 'To {title}' at the end of every file in guide/", ""),
        ("Add the line 'To <name>' at the end of every file in guide/", ""),
        ("在 guide/ 里每个没有标题的文件的开头加上“# 无题”", ""),
    ],
)
def test_each_file_has_the_line(goal: str, line: str) -> None:
    found = {(one.kind, one.path, one.text) for one in checks_of_each(goal, [], GUIDE)}
    wanted = {("file_contains", path, line) for path in GUIDE[:2]}
    assert found == (wanted if line else set())


@pytest.mark.parametrize(
    ("goal", "text"),
    [
        ("把 guide/ 里的文件合并，每个文件前面加一行“# 文件名”", "# guide/"),
        ("List the file names of guide/, one per line", "guide/"),
        ("List the files of guide/ with their paths and file names", ""),
        ("List the file names of guide/, such as guide/a.md", ""),
        ("Sum up guide/", ""),
    ],
)
def test_a_name_is_no_path(goal: str, text: str) -> None:
    found = [(one.kind, one.path, one.text) for one in checks_of_each(goal, ["a.txt"], GUIDE)]
    assert found == ([("no_line_begins", "a.txt", text)] if text else [])
    assert checks_of_each(goal, ["a.csv"], GUIDE) == []


@pytest.mark.parametrize(
    ("goal", "folder"),
    [
        ("Unpack x.zip into out/", "out/"),
        ("把 x.zip 解压到 out/", "out/"),
        ("Move the files into out/", ""),
        ("Extract the names into names.txt", ""),
        ("x.zip holds a file conf/app.ini. Extract its port into port.txt", ""),
        ("Extract x.zip and count the lines of docs/a.txt in it; write it to n.txt", ""),
        ("Unpack x.zip into a folder and list what is in img/", ""),
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


def test_what_must_not_change_gets_no_line() -> None:
    goal = 'Make index.md. Then write the line "End" at the end of every file in guide/.'
    assert len(checks_of_each(goal, ["index.md"], GUIDE)) == 2
    assert checks_of_each(goal, ["index.md"], GUIDE, GUIDE[:1]) == []
    asked = DecomposeRequest(brief=Brief(goal=goal), existing=GUIDE, named=["index.md"])
    assert all_kept(asked, surely_used(asked)) == []
