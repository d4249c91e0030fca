import pytest

from replan.nodes.named_files import (
    files_in_named_folders,
    files_meant,
    folders_to_make,
    is_test_file,
    named_files,
)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("Read sales.csv and write report.md.", ["sales.csv", "report.md"]),
        ("读取sales.csv，并写入report.md。", ["sales.csv", "report.md"]),
        ("Put it into out/2024/sum.json, then stop", ["out/2024/sum.json"]),
        ("Start with ./run.sh!", ["run.sh"]),
        ("把结果写入“销售 报告.md”", ["销售 报告.md"]),
        ("Write 'my notes.txt' and `a b.csv`", ["my notes.txt", "a b.csv"]),
        ('Do "Sum a.csv into b.md"', ["a.csv", "b.md"]),
        ("b.txt, then a.txt, then b.txt", ["b.txt", "a.txt"]),
        ("`python a.py` fails; run `pytest -q test_a.py`", ["a.py", "test_a.py"]),
        ("archive.tar.gz.zip and v1.2.py", ["archive.tar.gz.zip", "v1.2.py"]),
        ("e.g. Python 3.11, i.e. version 2.0 of Web3.0", []),
        ("See example.com, https://example.com/data.csv or mail me@example.py", []),
        ("Count the words in each .txt file", []),
        ("", []),
    ],
)
def test_files_are_named_in_any_language(text: str, named: list[str]) -> None:
    assert named_files(text) == named


@pytest.mark.parametrize(
    ("text", "existing", "named"),
    [
        ("Fix the Makefile", ["Makefile", "src/a.py"], ["Makefile"]),
        ("Fix calc.py", ["src/calc.py"], ["src/calc.py"]),
        ("Fix lib/calc.py", ["src/calc.py", "lib/calc.py"], ["lib/calc.py"]),
        ("Fix /home/me/src/calc.py", ["src/calc.py", "lib/calc.py"], ["src/calc.py"]),
        ("Fix recalc.py", ["calc.py"], ["recalc.py"]),
        ("Use data.custom", ["data.custom"], ["data.custom"]),
        ("Say nothing of it", ["calc.py"], []),
    ],
)
def test_a_file_that_exists_is_known_by_its_name(
    text: str, existing: list[str], named: list[str]
) -> None:
    assert named_files(text, existing) == named


@pytest.mark.parametrize(
    ("path", "is_test"),
    [
        ("test_a.py", True),
        ("tests/test_a.py", True),
        ("a_test.py", True),
        ("test_a.txt", False),
        ("testing.py", False),
        ("contest.py", False),
    ],
)
def test_what_pytest_collects(path: str, is_test: bool) -> None:
    assert is_test_file(path) == is_test


SITES = ["sites/lima.md", "sites/oslo.md", "sites/riga_2.md", "sites/pune.md"]
SERVICES = ["service_backup.md", "service_invoices.md", "service_payroll.md"]
STORES = ["仓库_北京.md", "仓库_上海.md", "仓库_广州.md", "仓库_成都.md"]


@pytest.mark.parametrize(
    ("text", "existing", "meant"),
    [
        ("How big are the sites Oslo and Lima?", SITES, ["sites/lima.md", "sites/oslo.md"]),
        ("Of Riga, Lima's neighbour", SITES, ["sites/lima.md", "sites/riga_2.md"]),
        ("Who heads the service invoice?", SERVICES, []),
        ("Who heads the services invoices and backup?", SERVICES, SERVICES[:2]),
        ("北京和广州两个仓库的库存", STORES, ["仓库_北京.md", "仓库_广州.md"]),
        ("Read them all", ["readme.md", "all-in-all.md"], ["all-in-all.md"]),
        ("What is here?", SITES, []),
        ("anything", [], []),
    ],
)
def test_files_that_the_words_of_a_text_mean(
    text: str, existing: list[str], meant: list[str]
) -> None:
    assert files_meant(text, existing) == meant


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("把结果写入 统计.json，格式如下", ["统计.json"]),
        ("把结果保存为汇总.csv。", ["汇总.csv"]),
        (
            "读取 名单.txt 和 分数.csv，合并成 成绩/总表.csv",
            ["名单.txt", "分数.csv", "成绩/总表.csv"],
        ),
        ("把销售里的数据.csv读一遍", []),
    ],
)
def test_chinese_names_without_quotes(text: str, names: list[str]) -> None:
    assert named_files(text) == names


FOLDERS = ["in/a.txt", "in/b.txt", "in/old/c.txt", "笔记/d.txt", "e.txt"]


@pytest.mark.parametrize(
    ("text", "files"),
    [
        ("Add up the files in in/.", ["in/a.txt", "in/b.txt"]),
        ("Sort the folder in by date", ["in/a.txt", "in/b.txt"]),
        ("Look into in/old/ too", ["in/old/c.txt"]),
        ("合并 笔记 文件夹里的文件", ["笔记/d.txt"]),
        ("Write it in words to in/sum.txt", []),
        ("Read in/a.txt", []),
    ],
)
def test_files_of_the_folders_that_a_text_names(text: str, files: list[str]) -> None:
    assert files_in_named_folders(text, FOLDERS) == files


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("Move the old ones into in/old/, please", ["in/old"]),
        ("Sort the files of in/", []),
        ("Write out/1.txt, out/2.txt and so on", ["out"]),
        ("See https://example.org/docs/ or /etc/ and and/or", []),
        ("Do not touch node_modules/ or remove tmp/; w/ the rest, add to https://x.org/api/", []),
        ("把文件移到 old/ 里，另存为 out/a.txt", ["old", "out"]),
    ],
)
def test_folders_that_are_not_there_yet(text: str, missing: list[str]) -> None:
    assert folders_to_make(text, ["in/a.txt", "b.txt"]) == missing
