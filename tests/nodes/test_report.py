"""The report that a model words: what goes round in circles is cut off."""

import pytest

from replan.nodes.report.llm import said_once

OPENED = "The harbour museum was opened in 1934."


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        (f"{OPENED} It has a tower. {OPENED} It has a", f"{OPENED} It has a tower."),
        (f"{OPENED} It costs 1.5 euros. Yes. Yes.", f"{OPENED} It costs 1.5 euros. Yes. Yes."),
        (
            "北京仓库目前的库存有一千二百四十件，已全部核对。" * 3,
            "北京仓库目前的库存有一千二百四十件，已全部核对。",
        ),
        ("- Cairo: 342 people on staff\n" * 2, "- Cairo: 342 people on staff"),
        ("", ""),
        ("One line without an end", "One line without an end"),
    ],
)
def test_what_was_said_is_not_said_again(told: str, kept: str) -> None:
    assert said_once(told) == kept
