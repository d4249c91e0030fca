"""Where the names of files hold a date."""

import configparser
from pathlib import Path

import pytest

from replan.nodes.name_facts import how_to_read, name_facts

DAYS = ["2024-01-02", "2024-01-09", "2024-02-01", "2024-03-07"]


@pytest.mark.parametrize(
    ("paths", "told"),
    [
        ([f"in/{day}-door.txt" for day in DAYS], "'2024-01-02' for name '2024-01-02-door.txt'"),
        ([f"x_{day.replace('-', '')}.log" for day in DAYS], "'20240102' for name 'x_20240102.log'"),
        ([f"in/{day[:7]}.csv" for day in DAYS], "'2024-01' for name '2024-01.csv'"),
        ([f"in/{day}.txt" for day in DAYS[:3]], ""),
        ([*(f"in/{day}.txt" for day in DAYS), "in/readme.txt"], ""),
        (["a.txt", "b.txt", "c.txt", "d.txt"], ""),
        (["n/01.md", "n/02.md", "n/03.md", "n/10.md"], "is 1 for name '01.md'"),
        (["n/01spring.md", "n/02.md", "n/03.md", "n/10.md"], ""),
        (["n/1-2.md", "n/1-3.md", "n/1-4.md", "n/1-5.md"], ""),
    ],
)
def test_a_date_in_every_name_of_a_folder(paths: list[str], told: str) -> None:
    facts = "\n".join(name_facts(paths))
    assert told in facts
    assert bool(told) == bool(facts)


def test_the_expression_finds_it() -> None:
    (fact,) = name_facts([f"in/{day}.txt" for day in DAYS])
    assert r"in in/ holds a date: re.search(r'\d{4}-\d\d-\d\d', name).group()" in fact


def test_files_that_the_library_reads(tmp_path: Path) -> None:
    assert how_to_read(["a.txt"]) == []
    (told,) = how_to_read(["a.txt", "conf/b.ini"])
    (tmp_path / "b.ini").write_text("[x]\ny = 1%\n")
    scope: dict[str, object] = {"configparser": configparser, "path": str(tmp_path / "b.ini")}
    exec(told.removeprefix("Read an .ini file by: ").replace("; ", "\n"), scope)
    assert scope["all"] == {"x": {"y": "1%"}}
