"""Which memories a prompt shows, and how."""

from datetime import UTC, datetime

import pytest

from replan.nodes.recall.lines import line_of, teaches, tokens_of, within
from replan.state.memory import Memory, Source

FACT = Memory(kind="fact", text="The sums\nare in EUR", learned=datetime(2026, 5, 4, tzinfo=UTC))
FAILED = Memory(kind="experience", text="'x' ended failed.", outcome="failed")


def test_a_memory_is_one_line_with_its_time() -> None:
    assert line_of(FACT) == "The sums are in EUR (known since 2026-05-04)"
    assert line_of(FAILED) == "'x' ended failed."
    assert len(line_of(Memory(kind="fact", text="x" * 4000))) < 500


def test_only_what_fits_is_shown() -> None:
    many = [Memory(kind="fact", text=f"number {n} " + "y" * 80) for n in range(9)]
    assert within(many, 0) == []
    assert within(many, 50) == many[:2]
    assert within(many, 10_000) == many


def test_chinese_takes_a_token_a_character() -> None:
    assert tokens_of("先看表头") == 4
    assert tokens_of("look") == 1


@pytest.mark.parametrize(
    ("memory", "does"),
    [
        (FACT, True),
        (FAILED, True),
        (Memory(kind="experience", text="ended", outcome="done"), False),
        (Memory(kind="experience", text="ended", outcome="done", detail={"lesson": ""}), False),
        (Memory(kind="experience", text="ended", outcome="done", detail={"tried": ["a"]}), True),
    ],
)
def test_that_something_went_well_teaches_nothing(memory: Memory, does: bool) -> None:
    assert teaches(memory, []) is does


def test_what_went_wrong_with_other_files_is_not_taught() -> None:
    tried = ["python: FAILED: sums.csv begins with 'a,b', it has to be 'team,sum'"]
    failed = FAILED.model_copy(update={"detail": {"tried": tried}})
    assert teaches(failed, ["games.csv", "sums.csv"])
    assert not teaches(failed, ["games.csv", "counts.csv"])
    learned = Memory(kind="fact", text="The first line of sums.csv has to be 'team,sum'.")
    assert teaches(learned, ["sums.csv"])
    assert not teaches(learned, ["counts.csv"])
    told = learned.model_copy(update={"source": Source(told_by="a person")})
    assert teaches(told, ["counts.csv"])
    assert teaches(FACT, ["counts.csv"])
