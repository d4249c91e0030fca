"""Which goals are the same but for names."""

import pytest

from replan.nodes.skills.wording import aligned, renamed, reworded

SALES = "Read sales.csv, compute the total amount per region, and write it to report.md"
SHOP = "Read shop.csv, compute the total price per city, and write it to summary.md"


def test_the_same_words_need_no_names() -> None:
    names = aligned(SALES, SALES)
    assert names is not None
    assert names.all() == {}


def test_paths_and_the_words_that_files_use_may_differ() -> None:
    names = aligned(SALES, SHOP, {("amount", "price"), ("region", "city")})
    assert names is not None
    assert names.path == {"sales.csv": "shop.csv", "report.md": "summary.md"}
    assert names.word == {"amount": "price", "region": "city"}


@pytest.mark.parametrize(
    ("then", "now"),
    [
        (SALES, SHOP),  # words that no file uses
        (SALES, SALES.replace("total", "average")),
        (SALES, f"{SALES} and to report.html"),
        (SALES, SALES.replace("and write", "but do not write")),
        ("Copy a.txt to b.txt", "Copy c.txt to c.txt"),  # two that become one
        ("Copy a.txt to a.txt", "Copy c.txt to d.txt"),  # one that becomes two
        ("Sort a.txt into a.txt", "Sort a.txt into b.txt"),
        ("按地区汇总金额，写入 out.csv", "按城市汇总金额，写入 out.csv"),
        ("the 1st line of a.txt", "the 2nd of a.txt"),
    ],
)
def test_goals_that_differ_in_more_than_names_are_others(then: str, now: str) -> None:
    assert aligned(then, now) is None


def test_numbers_may_differ() -> None:
    names = aligned("The 50th number to answer.txt", "The 64th number to out.txt")
    assert names is not None
    assert names.number == {"50": "64"}


def test_endings_may_differ() -> None:
    names = aligned("Count each .txt file", "Count each .md file")
    assert names is not None
    assert names.ending == {".txt": ".md"}


def test_chinese_goals_with_other_files() -> None:
    names = aligned("读取 sales.csv，写入 report.md", "读取 orders.csv，写入 结果.md")
    assert names is None  # a name in other letters runs on into the words around it
    names = aligned("读取 sales.csv，写入 report.md", "读取 orders.csv，写入 out.md")
    assert names is not None
    assert names.path == {"sales.csv": "orders.csv", "report.md": "out.md"}


def test_a_script_is_renamed_as_a_whole() -> None:
    names = aligned(SALES, SHOP, {("amount", "price"), ("region", "city")})
    assert names is not None
    code = "t = pd.read_csv('sales.csv').groupby('region')['amount'].sum()\nregion = t"
    assert renamed(code, names) == (
        "t = pd.read_csv('shop.csv').groupby('city')['price'].sum()\nregion = t"
    )


def test_names_that_change_places_do_so_at_once() -> None:
    names = aligned("Copy a.txt to b.txt", "Copy b.txt to a.txt")
    assert names is not None
    assert renamed("open('a.txt'), open('b.txt')", names) == "open('b.txt'), open('a.txt')"


def test_a_path_is_not_replaced_within_another() -> None:
    names = aligned("Read a.txt", "Read b.txt")
    assert names is not None
    assert renamed("open('data.txt'); open('a.txt')", names) == "open('data.txt'); open('b.txt')"


def test_imports_follow_the_file_of_a_module() -> None:
    names = aligned("Write prime.py and test_prime.py", "Write sieve.py and test_sieve.py")
    assert names is not None
    assert renamed("from prime import is_prime\n", names) == "from sieve import is_prime\n"


def test_titles_are_reworded_and_keep_their_form() -> None:
    names = aligned("The 50th of a.txt", "The 60th of b.txt")
    assert names is not None
    assert reworded("First  read a.txt,\nthen the 50th line", names) == (
        "First  read b.txt,\nthen the 60th line"
    )
