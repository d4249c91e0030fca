"""Sources are cut into passages that stand in them word for word."""

import pytest

from replan.nodes.research.passages import MOST, passages
from replan.nodes.research.support import plain
from replan.state.task import Source


def source(text: str, name: str = "a.md") -> Source:
    return Source(kind="document", name=name, text=text)


@pytest.mark.parametrize(
    "text",
    [
        "A first sentence that says something. A second one, about 2.5 bar.\nA third\nover lines.",
        "第一句话说明市场规模。第二句话说明增长率为百分之五！第三句\n话分成两行。",
        "no full stop " * 200,
        "连续文字没有句号" * 200,
        "| a | b |\n|---|---|\n| 1 | 2 |",
    ],
)
def test_every_passage_stands_in_its_source(text: str) -> None:
    found = passages([source(text)], "what?")
    assert found
    assert all(plain(one.text) in plain(text) for one in found)


def test_the_passages_about_the_question_are_kept() -> None:
    many = [source(f"This text number {at} is about nothing much.", f"{at}.md") for at in range(40)]
    wanted = source("Tubeless tyres need fresh sealant twice a year.", "tyres.md")
    found = passages([*many, wanted], "How often do tyres need sealant?")
    assert len(found) == MOST
    assert found[-1].source.name == "tyres.md"


def test_the_same_text_comes_once() -> None:
    same = "A heap wants two parts of brown material."
    assert len(passages([source(same), source(same, "b.md")], "heap?")) == 1


def test_of_nothing_comes_nothing() -> None:
    assert passages([], "what?") == []
    assert passages([source("  \n ")], "what?") == []
