import pytest

from replan.nodes.decompose.parts import parts_of


@pytest.mark.parametrize(
    ("goal", "paths", "parts"),
    [
        (
            "Two jobs: turn a.json into a.csv (header x,y, in that order), and write the lines of "
            "b.txt, the last one first, to c.txt.",
            ["a.csv", "c.txt"],
            [
                "turn a.json into a.csv (header x,y, in that order)",
                "write the lines of b.txt, the last one first, to c.txt",
            ],
        ),
        (
            "Make two files: even.txt with the even numbers up to 9, one per line; odd.txt with "
            "the others. Change nothing else.",
            ["even.txt", "odd.txt"],
            [
                "even.txt with the even numbers up to 9, one per line",
                "odd.txt with the others. Change nothing else",
            ],
        ),
        (
            "把 a.txt 的行倒序写入 b.txt，再把行数写入 c.txt。",
            ["b.txt", "c.txt"],
            ["把 a.txt 的行倒序写入 b.txt", "把行数写入 c.txt"],
        ),
    ],
)
def test_each_file_has_its_words(goal: str, paths: list[str], parts: list[str]) -> None:
    assert parts_of(goal, paths) == dict(zip(paths, parts, strict=True))


@pytest.mark.parametrize(
    ("goal", "paths"),
    [
        ("Write a.txt with the names", ["a.txt"]),
        ("Write a.txt and b.txt with the names", ["a.txt", "b.txt"]),
        ("Write a.txt with the names, and b.txt with the length of a.txt", ["a.txt", "b.txt"]),
        ("Write x/a.txt with the names, and b.txt with the rest", ["a.txt", "b.txt"]),
        ('Write "a.txt, b.txt" as it is', ["a.txt", "b.txt"]),
        ("Delete all .bak files. Write a.txt with x. Write b.txt with y.", ["a.txt", "b.txt"]),
        ("Write the sum to a.txt, and the mean to b.txt, and round them", ["a.txt", "b.txt"]),
        ("Write the sum to a.txt. Then find the largest. Write it to b.txt", ["a.txt", "b.txt"]),
        ("Write the sum to a.txt, the mean to b.txt, both rounded", ["a.txt", "b.txt"]),
        ("把总和写入 a.txt，并把平均值写入 b.txt，都保留两位小数", ["a.txt", "b.txt"]),
    ],
)
def test_where_the_words_do_not_part_it_nothing_is_told(goal: str, paths: list[str]) -> None:
    assert parts_of(goal, paths) == {}
