"""Chunks cover the whole text, overlap, and know their lines; words are found in Chinese too."""

from itertools import pairwise

from replan.tools.documents.chunks import passages, width, words
from replan.tools.documents.parser_process import Part


def test_chunks_cover_everything_and_name_their_lines() -> None:
    lines = [f"Line number {n} says something of its own." for n in range(1, 121)]
    cut = list(passages((Part("", "\n".join(lines)),)))
    assert len(cut) > 4
    assert cut[0].place.startswith("lines 1-")
    for one in cut:
        assert width(one.text) <= 900
        first, _, last = one.place.removeprefix("lines ").partition("-")
        assert one.text.strip().splitlines()[0] == lines[int(first) - 1]
        assert one.text.strip().splitlines()[-1] == lines[int(last) - 1]
    together = "".join(one.text for one in cut)
    assert all(line in together for line in lines)
    assert any(one.text.splitlines()[0] in before.text for before, one in pairwise(cut))


def test_pages_keep_their_name() -> None:
    cut = list(passages((Part("page 1", "one"), Part("page 2", "two"))))
    assert [(one.place, one.text) for one in cut] == [("page 1", "one"), ("page 2", "two")]


def test_chinese_without_blanks_is_cut_too() -> None:
    cut = list(passages((Part("", "工作满一年的员工每年有五天带薪休假。" * 200),)))
    assert len(cut) > 5
    assert all(width(one.text) <= 900 for one in cut)


def test_words() -> None:
    assert words("The Cat's ＣＡＴ, 2nd cat") == ["the", "cat", "s", "2nd"]
    assert words("带薪休假 abc") == ["带薪", "薪休", "休假", "abc"]
    assert words("猫!") == ["猫"]
    assert words("x" * 100) == ["x" * 60]
    assert words("?! ") == []
