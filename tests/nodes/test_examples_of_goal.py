"""What a goal shows by example, and what it says about the form of a file."""

import pytest

from replan.nodes.decompose.checks_of_goal import checks_of_files
from replan.nodes.decompose.examples import calls_in, keys_in, names_as_keys
from replan.nodes.decompose.forms import forms_of, lines_of
from replan.nodes.decompose.moves import removes_only, renamed, to_be_gone, where_some_stay
from replan.state.task import Check


@pytest.mark.parametrize(
    ("goal", "calls"),
    [
        ('roman(4) returns "IV", roman(9) is "IX".', ['roman(4) == "IV"', 'roman(9) == "IX"']),
        ("For example `double([1, 2])` gives `[2, 4]`, not more", ["double([1, 2]) == [2, 4]"]),
        ("halve(3) == 1.5. Then write it", ["halve(3) == 1.5"]),
        (
            'area("x") raises ValueError, area(2, unit="m") is 4',
            ['area("x") raises ValueError', 'area(2, unit="m") == 4'],
        ),
        ('例如 reverse("ab") 返回 "ba"；如果为空，则返回空', ['reverse("ab") == "ba"']),
        ('is_even("3") 应抛出 TypeError', ['is_even("3") raises TypeError']),
        ("pair(1) is (1, 1) and flag(0) is False", ["pair(1) == (1, 1)", "flag(0) == False"]),
        ('quote("a (b)") is "(a)"', ['quote("a (b)") == "(a)"']),
        ("f(x) returns 3, stack.push(1) is 2, open('a') is needed, g() is 1", []),
        ("send(1) is done twice, take(2) is 3rd", []),
        ("broken(1 is 2", []),
    ],
)
def test_calls_whose_outcome_is_told(goal: str, calls: list[str]) -> None:
    assert calls_in(goal) == calls


@pytest.mark.parametrize(
    ("goal", "keys"),
    [
        ('Count "red" and "blue" into c.json, such as {"red": 1, "blue": 2}', ["red", "blue"]),
        ('Map each word to its length, such as {"tree": 4, "house": 5}', []),
        (
            "Write a.json with the keys title, year (a number) and author",
            ["title", "year", "author"],
        ),
        ("an object with the fields `from` and `to`", ["from", "to"]),
        ("写入 a.json，键为 name、age 和 city", ["name", "age", "city"]),
        ("The keys are the names and the values are counts", []),
        ("with the key name", []),
    ],
)
def test_keys_that_an_object_has_to_have(goal: str, keys: list[str]) -> None:
    assert keys_in(goal) == keys


@pytest.mark.parametrize(
    ("goal", "path", "kinds"),
    [
        ("Write the total to t.txt with two decimals", "t.txt", [("number_only", "2")]),
        ("Count the words and write only the number to n.txt", "n.txt", [("number_only", "")]),
        ("统计行数，只把数字写入 n.txt，保留两位小数", "n.txt", [("number_only", "2")]),
        ("Write the number of words per chapter to n.txt", "n.txt", []),
        ("Write the total and the mean to n.txt", "n.txt", []),
        ("Write her city to n.txt, nothing else", "n.txt", [("brief_only", "")]),
        ("Write only the name of the winner to n.txt.", "n.txt", [("brief_only", "")]),
        ("找出最高的人，只写姓名到 n.txt", "n.txt", [("brief_only", "")]),
        ("Write the name and the age of each to n.txt", "n.txt", []),
        (
            "Write all names to n.txt in alphabetical order, one per line",
            "n.txt",
            [("is_sorted", "")],
        ),
        ("Write all names to n.txt, sorted by length, one per line", "n.txt", []),
        ("Write all different words to n.txt, one per line", "n.txt", [("no_repeats", "")]),
        ("把不重复的姓名写入 n.txt，每行一个", "n.txt", [("no_repeats", "")]),
        ("找出总价超过 9 的菜，把菜名写入 n.txt，每行一个", "n.txt", [("no_repeats", "")]),
        (
            "Write the names of all shops whose total is 0 to n.txt, one per line",
            "n.txt",
            [("no_repeats", "")],
        ),
        ("Write the names of the winners, year by year, to n.txt, one per line", "n.txt", []),
        ("Write the titles of all talks to n.txt, one per line", "n.txt", []),
        (
            'Write n.txt: one line "city: sum" per city with two decimals, sorted by city',
            "n.txt",
            [("decimals", "2"), ("is_sorted", "")],
        ),
        ('Write n.txt: a line "city: sum" for each city, sorted by sum', "n.txt", []),
        ("Write n.txt: the sizes in feet, one per line, 2 decimals", "n.txt", [("decimals", "2")]),
        ("换算成英尺，写到 n.txt，每行一个，保留两位小数", "n.txt", [("decimals", "2")]),
        ("Write n.txt: the sizes, one per line, and the sum, one decimal", "n.txt", []),
        ("a.txt has sizes, one per line, one decimal. Write the widest to n.txt", "n.txt", []),
        ("Sum up i.csv as a markdown table in n.md", "n.md", [("has_table", "")]),
        ("把结果写成 Markdown 表格，存到 n.md", "n.md", [("has_table", "")]),
        ("Write about the table to n.md", "n.md", []),
        ("One per line, in descending order, sorted by name, into n.txt", "n.txt", []),
        ("Write o.csv with the same rows and a new column", "o.csv", [("as_many_rows", "i.csv")]),
        ("Write o.csv with the same rows, without duplicates", "o.csv", []),
    ],
)
def test_the_form_that_a_goal_asks_for(goal: str, path: str, kinds: list[tuple[str, str]]) -> None:
    found = forms_of(goal, path, sources=["i.csv"])
    assert [(check.kind, check.text) for check in found] == kinds


@pytest.mark.parametrize(
    ("goal", "checked"),
    [
        ("Write every line of a.log with x to n.txt and the rest to n.csv", ["n.txt"]),
        ("把 a.txt 中含有错误的行写入 n.txt", ["n.txt"]),
        ("Write every line of a.log, a blank one behind each, to n.txt", []),
        ("Write a letter to n.txt, each line at most 72 characters", []),
        ("Write n.txt, one name per line", []),
    ],
)
def test_lines_lines_of(goal: str, checked: list[str]) -> None:
    assert [check.path for check in lines_of(goal, ["n.txt", "n.csv"])] == checked


@pytest.mark.parametrize(
    ("goal", "text"),
    [
        ('Write n.txt with what begins with "Note: " in a.md, without that beginning', "Note: "),
        ('Write n.txt with the entries of a.md that begin with "- ", without that beginning', ""),
        ("把 a.md 里以“待办：”开头的行去掉开头后写入 n.txt", "待办："),
        ('Write the entries of a.md that begin with "- " to n.txt', ""),
    ],
)
def test_what_lines_were_found_by_is_left_out(goal: str, text: str) -> None:
    found = [check for check in lines_of(goal, ["n.txt"]) if check.kind == "no_line_begins"]
    assert [check.text for check in found] == ([text] if text else [])


def test_a_table_is_sorted_by_a_column_that_the_goal_gives() -> None:
    goal = "Make o.csv with the columns city,size, sorted by city"
    assert forms_of(goal, "o.csv", ["city", "size"]) == [
        Check(kind="is_sorted", path="o.csv", columns=["city"])
    ]
    assert forms_of(goal, "o.csv", ["town"]) == []
    assert forms_of(f"{goal}, then by size", "o.csv", ["city", "size"]) == []


@pytest.mark.parametrize(
    ("goal", "gone"),
    [
        ("Read old/ and write new.txt. Then delete the folder old/.", ["old"]),
        ("Rename draft.md to final.md", ["draft.md"]),
        ("把 draft.md 重命名为 final.md", ["draft.md"]),
        ("Delete all .md files, wherever they are", ["*.md"]),
        ("Remove every *.txt file in the folder old/ and say how many", ["old/*.txt"]),
        ("删除所有 .md 文件", ["*.md"]),
        ("Delete all .md files except draft.md", []),
        ("Delete all .md files that are empty", []),
        ("Delete all .log files", []),
        ("Don't delete all .md files", []),
        ("Never delete all .md files", []),
        ("请勿删除所有 .md 文件", []),
        ("Delete all .md files, except draft.md", []),
        ("Delete all .md files (but keep draft.md)", []),
        ("Delete all .md files if they are empty", []),
        ("Remove all .md file extensions from the names", []),
        ("Write a script purge.sh to delete all .md files", []),
        ("Delete all .md files and list their names in gone.md", []),
        ("Delete draft.md, if old/a.txt says so", []),
        ("Never delete draft.md.", []),
        ("Rename draft.md to a better name.", []),
        ("Rename draft.md into docs/", []),
        ("Do not rename draft.md to final.md", []),
        ("Rename draft.md to b.md and rename b.md to c.md", []),
        ("Write a script that can rename draft.md to final.md", []),
        ("Rename draft.md to 'final draft.md'", ["draft.md"]),
        ("Remove draft.md and keep the rest", ["draft.md"]),
        ("删除 draft.md", ["draft.md"]),
        ("Remove draft.md's first line", []),
        ("Do not delete draft.md", []),
        ("Delete nothing.txt", []),
        ("Delete all drafts", []),
    ],
)
def test_what_is_to_be_gone(goal: str, gone: list[str]) -> None:
    assert to_be_gone(goal, ["draft.md", "old/a.txt"]) == gone


@pytest.mark.parametrize(
    ("goal", "folder"),
    [
        ("Move the drafts of old/ to new/. The others stay.", "old"),
        ("Delete empty files and leave the rest alone", ""),
        ("把空文件删除，其他文件不动", ""),
        ("Move the others to new/", None),
        ("Replace x by y in draft.md. Leave the rest of the code as it is.", None),
        ("Delete the first line of old/a.txt, the rest of the lines stays", None),
        ("Delete draft.md, old/a.txt and old/b.txt, leave the others", None),
    ],
)
def test_where_others_stay(goal: str, folder: str | None) -> None:
    assert where_some_stay(goal, ["draft.md", "old/a.txt", "old/b.txt"]) == folder


def test_a_new_name_is_in_the_folder_of_the_old_one() -> None:
    files = ["draft.md", "old/a.txt"]
    assert renamed("rename draft.md to final.md, and old/a.txt", files) == {"draft.md": "final.md"}
    assert renamed("Rename old/a.txt to b.txt", files) == {"old/a.txt": "old/b.txt"}
    checks = checks_of_files([], [], "Rename draft.md to final.md", existing=files)
    assert Check(kind="file_exists", path="final.md") in checks
    assert Check(kind="gone", path="draft.md") in checks


def test_with_several_files_nobody_can_tell_which_is_meant() -> None:
    goal = 'Write a.py and b.py so that f(1) == 2; keys x and y; {"x": 1, "y": 2}'
    kinds = {check.kind for check in checks_of_files(["a.py", "b.py"], [], goal)}
    assert kinds == {"file_exists"}
    kinds = {check.kind for check in checks_of_files(["a.py"], [], goal)}
    assert kinds == {"file_exists", "call_gives"}


@pytest.mark.parametrize(
    ("goal", "keys"),
    [
        (
            "Put the files of days/ into all.json, the file name without ending as key",
            ["mon", "tue"],
        ),
        (
            "Put the files of days/ into all.json, with the file name without .txt as a key",
            ["mon", "tue"],
        ),
        ("把 days/ 中的文件合并到 all.json，文件名（不含扩展名）作为键", ["mon", "tue"]),
        ("Put the files of days/ into all.json", []),
        ("Put the files into all.json, the file name without ending as key", []),
    ],
)
def test_names_of_files_as_keys(goal: str, keys: list[str]) -> None:
    assert names_as_keys(goal, ["days/mon.txt", "days/tue.txt", "x.md"]) == keys


@pytest.mark.parametrize(
    ("goal", "only"),
    [
        ("Keep the newest file of each name in old/ and delete the others", True),
        ("Remove all empty folders", True),
        ("Of each group of equal files keep the first and delete the others", True),
        ("Group the files by year and delete the empty folders", False),
        ("删除 old 文件夹里内容相同的文件", True),
        ("Delete the duplicate files and list them in gone.txt", False),
        ("Delete the old files and rename the others by date", False),
        ("Remove empty lines from all files in old/", False),
        ("Remove the unused imports from the files", False),
        ("Put all files into one folder and delete the rest", False),
        ("Delete the folder old/ once draft.md is final", False),
        ("How many files are there?", False),
        ("Do not delete any files", False),
        ("Is it safe to delete the cache folder?", False),
        ("How do I remove duplicate files", False),
        ("不要删除任何文件", False),
        ("Remove trailing whitespace from all files in src/", False),
        ("Remove the license header from every file", False),
        ("Remove the prefix IMG_ from all file names", False),
        ("Organize the photos into folders by year and remove the empty folders", False),
        ("Compress the files in old/ and delete the originals", False),
        ("Transfer all files of old/ into new/, then delete the folder old/", False),
        ("删除所有文件中的空格", False),
        ("把照片按年份放到不同文件夹，并删除空文件夹", False),
    ],
)
def test_where_files_are_only_removed(goal: str, only: bool) -> None:
    existing = ["draft.md", "old/a.txt"]
    assert removes_only(goal, existing) == only
    kinds = [check.kind for check in checks_of_files([], [], goal, existing=existing)]
    assert ("only_removed" in kinds) == only
