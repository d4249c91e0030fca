"""How often the one right memory comes first, with the real embedding model."""

from collections.abc import Awaitable, Callable

import pytest
from retrieval_set import Answered, ask, keep_all, pairs, questions, told

from replan.memory.likeness import SAME_FROM, say_the_same
from replan.memory.postgres import PostgresMemories
from replan.models.embeddings import EmbeddedEmbedder

Opening = Callable[..., Awaitable[PostgresMemories]]

# Of twenty questions, how many must find their memory first.
REQUIRED = {"en": 19, "zh": 17}


def test_the_set_is_what_it_is_said_to_be() -> None:
    assert len(told()) >= 220
    assert len({one.text for one in told()}) == len({one.id for one in told()}) == len(told())
    plain = [one for one in questions() if one.level == "plain"]
    for language in ("en", "zh"):
        for half in ("fitting", "held-out"):
            of_both = [one for one in plain if (one.language, one.half) == (language, half)]
            assert len(of_both) >= 30
            assert len({one.text for one in of_both}) == len(of_both)
    assert {one.right for one in questions()} <= {one.id for one in told()}


async def test_the_right_memory_comes_first(opening: Opening) -> None:
    memories = await opening(EmbeddedEmbedder())
    # None of the near-duplicates is taken for another.
    assert await keep_all(memories) == len(told())
    answered = await ask(memories, [one for one in questions() if one.level == "plain"])
    for language, of_twenty in REQUIRED.items():
        for half in ("fitting", "held-out"):
            of_both = [
                one
                for one in answered
                if (one.question.language, one.question.half) == (language, half)
            ]
            assert rate(of_both) >= of_twenty / 20, wrong(of_both)


async def test_what_says_the_same_is_near_enough_and_what_differs_is_told_apart() -> None:
    embedder = EmbeddedEmbedder()
    ones = await embedder.embed([pair.one for pair in pairs()], "passage")
    others = await embedder.embed([pair.other for pair in pairs()], "passage")
    merged = [
        pair
        for pair, one, other in zip(pairs(), ones, others, strict=True)
        if say_the_same(pair.one, pair.other, sum(map(float.__mul__, one, other)))
    ]
    assert [pair for pair in merged if not pair.same] == []
    assert len(merged) >= 0.5 * sum(pair.same for pair in pairs())


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("The page has a white background.", "The page has a black background.", False),
        ("年假要提前三天申请。", "年假要提前五天申请。", False),
        ("Reading it took long.", "It took long to read it.", True),
        ("日志没有轮转，磁盘写满了。", "磁盘写满了，因为日志没有轮转。", True),
        ("Short words", "Other things here", True),
    ],
)
def test_words_in_the_place_of_others_have_to_be_nearer(one: str, other: str, same: bool) -> None:
    for first, second in ((one, other), (other, one)):
        assert say_the_same(first, second, SAME_FROM) is same
        assert say_the_same(first, second, 0.99)
        assert not say_the_same(first, second, SAME_FROM - 0.01)


def rate(answered: list[Answered]) -> float:
    return sum(one.right for one in answered) / len(answered)


def wrong(answered: list[Answered]) -> str:
    return "\n".join(
        f"{one.question.text}\n    wanted {one.question.right}, found {one.found[:1]}"
        for one in answered
        if not one.right
    )
