"""What of a long text is shown: what is about the question, in its order, within the room."""

import pytest

from replan.nodes.excerpt import excerpt, excerpts

FILLER = "The door is on the left side. Letters are answered in order. " * 10
PAGE = f"# Lima\n\n{FILLER}\nOur site in Lima has 187 people on staff. It is old.\n{FILLER}"


def test_a_short_text_is_shown_whole() -> None:
    assert excerpt("Any words. Others.", "Lima", 50) == "Any words. Others."


@pytest.mark.parametrize("room", [60, 120, 400])
def test_of_a_long_one_what_is_asked_for(room: int) -> None:
    shown = excerpt(PAGE, "How many people are on staff at the sites Lima and Oslo?", room)
    assert "Our site in Lima has 187 people on staff." in shown
    assert len(shown) <= room


def test_what_is_kept_stays_in_order() -> None:
    text = f"First a cat. {FILLER} Then a dog.\n{FILLER} A cat and a dog."
    shown = excerpt(text, "cat or dog", 60)
    assert shown == "First a cat. ... Then a dog. ... A cat and a dog."


def test_chinese() -> None:
    text = "来信按先后回复。" * 40 + "目前库存：1240 件。" + "提问不收费用。" * 40
    assert "1240" in excerpt(text, "北京仓库目前的库存是多少？", 40)


def test_without_a_word_in_common_the_beginning() -> None:
    assert excerpt(PAGE, "xyzzy", 20) == PAGE[:20]


def test_several_texts_share_the_room() -> None:
    shown = excerpts([PAGE, "short", PAGE.replace("Lima", "Oslo")], "people on staff", 300)
    assert shown[1] == "short"
    assert "Lima has 187" in shown[0]
    assert "Oslo has 187" in shown[2]
    assert sum(map(len, shown)) <= 300
    assert excerpts([], "x", 10) == []
