"""What is found for a question, in which order, and what is not found."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest
from memories_made import OWNER, ByWords, experience, fact

from replan.memory.owner import Owner
from replan.memory.postgres import PostgresMemories
from replan.state.memory import Recalled

Opening = Callable[..., Awaitable[PostgresMemories]]


def texts(recalled: Recalled) -> list[str]:
    return [found.memory.text for found in recalled.found]


async def test_what_was_kept_comes_back_whole(opening: Opening) -> None:
    memories = await opening(ByWords())
    learned = datetime(2026, 3, 1, 12, tzinfo=UTC)
    told = experience(
        "Summing sales.csv per region worked with csv.DictReader",
        detail={"tried": ["pandas"], "lesson": "look at the header first", "cost": {"steps": 4}},
        importance=0.8,
        source={"thread": "t1", "checkpoint": "c1"},
        learned=learned,
    )
    [kept] = await memories.keep([told])
    assert (kept.how, kept.note) == ("new", "")
    recalled = await memories.recall("how was sales.csv summed")
    assert recalled.note == ""
    [found] = recalled.found
    assert found.memory == told.model_copy(update={"id": kept.id})
    assert found.similarity is not None
    assert 0 < found.similarity < 1


async def test_the_meaning_finds_what_shares_no_word(opening: Opening) -> None:
    memories = await opening(ByWords(dims=256, alike={"automobile": "car", "blue": "paint"}))
    await memories.keep([fact("The automobile is blue"), fact("Cats sleep at noon")])
    recalled = await memories.recall("car paint", least_similar=0.5)
    assert texts(recalled) == ["The automobile is blue"]
    assert recalled.found[0].similarity == pytest.approx(0.7, abs=0.1)
    assert texts(await memories.recall("car paint", least_similar=0.99)) == []


async def test_a_shared_word_is_enough_however_far_the_meaning(opening: Opening) -> None:
    memories = await opening(ByWords())
    await memories.keep([fact("The zephyr report lies in archive/2024.zip, behind many others")])
    assert len((await memories.recall("zephyr", least_similar=0.99)).found) == 1


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("where does total_amount come from", "Column total_amount is made by totals.py"),
        ("what is in sales_2024.csv", "The file sales_2024.csv has a header"),
        ("summed regions", "Summing a region takes one pass"),
        ("销售数据在哪里", "销售数据保存在仓库的第三个文件夹"),
        ("ｓａｌｅｓ＿２０２４．ｃｓｖ", "The file sales_2024.csv has a header"),
        ("где лежит отчёт", "отчёт лежит в папке архив"),
    ],
)
async def test_words_alone_find_names_stems_and_chinese(
    opening: Opening, question: str, answer: str
) -> None:
    memories = await opening(None)
    await memories.keep(
        [
            fact("Column total_amount is made by totals.py"),
            fact("The file sales_2024.csv has a header"),
            fact("The file sales_2023.csv has none, as 2024 began without it"),
            fact("Summing a region takes one pass"),
            fact("销售数据保存在仓库的第三个文件夹"),
            fact("数据库的密码不在文件里"),
            fact("отчёт лежит в папке архив"),
        ]
    )
    recalled = await memories.recall(question)
    assert texts(recalled)[0] == answer
    assert recalled.note == "Searched by words alone: there is no embedding model."
    assert recalled.found[0].similarity is None


async def test_rare_words_count_more_than_many_common_ones(opening: Opening) -> None:
    memories = await opening(None)
    await memories.keep([fact(f"the report of the region {n} is a table") for n in range(40)])
    await memories.keep([fact("marmots whistle")])
    assert texts(await memories.recall("report table region marmots", most=1)) == [
        "marmots whistle"
    ]


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("reports of regions", "a report and a region"),
        ("report zebra", "a report about the zebra"),
        ("zebra", "the zebra"),
    ],
)
async def test_words_that_many_memories_hold_count_for_what_others_find(
    opening: Opening, question: str, answer: str
) -> None:
    memories = await opening(None)
    prefix = OWNER.prefixes(["fact"])[0]
    async with memories._store.pool.connection() as connection:
        await connection.execute(
            "INSERT INTO store (prefix, key, value) SELECT %s, word || n, "
            "jsonb_build_object('text', 'number ' || n || ' is a ' || word) "
            "FROM generate_series(1, 600) AS n, unnest(ARRAY['report', 'region']) AS word",
            (prefix,),
        )
    told = ["a report and a region", "a report about the zebra", "the zebra"]
    await memories.keep([fact(text) for text in told])
    assert texts(await memories.recall(question, most=1)) == [answer]


async def test_a_long_question_goes_by_its_longer_words(opening: Opening) -> None:
    memories = await opening(None)
    await memories.keep([fact("the zygapophysis is in the spine"), fact("aa ab ac ad")])
    short = " ".join(f"a{a}{b}" for a in "abcdefghij" for b in "abcdefghijklmnop")
    found = texts(await memories.recall(f"{short} zygapophysis"))
    assert found == ["the zygapophysis is in the spine"]


async def test_nobody_recalls_what_is_not_theirs(opening: Opening) -> None:
    embedder = ByWords()
    ann = await opening(embedder)
    others = [Owner("bob", "sales"), Owner("ann", "taxes"), Owner("ann.sales"), Owner("ann", "")]
    for number, owner in enumerate(others):
        bobs = await opening(embedder, owner)
        await bobs.keep([fact(f"the secret is {number}")])
    assert (await ann.recall("what is the secret")).found == []
    await ann.keep([fact("the secret is mine")])
    assert texts(await ann.recall("what is the secret")) == ["the secret is mine"]


async def test_only_the_kinds_asked_for_are_found(opening: Opening) -> None:
    memories = await opening(ByWords())
    await memories.keep([fact("sum the sales"), experience("sum the sales")])
    for kinds in (["fact"], ["experience"]):
        found = (await memories.recall("sum the sales", kinds=kinds)).found
        assert [one.memory.kind for one in found] == kinds
    assert (await memories.recall("sum the sales", kinds=["skill"])).found == []
    assert len((await memories.recall("sum the sales", kinds=["fact", "fact"])).found) == 1


async def test_of_equals_the_more_important_and_then_the_later_comes_first(
    opening: Opening,
) -> None:
    memories = await opening(ByWords(alike=dict.fromkeys("1234", "same")))
    day = datetime(2026, 1, 1, tzinfo=UTC)
    await memories.keep(
        [
            fact("report 1", learned=day),
            fact("report 2", learned=day + timedelta(days=9)),
            fact("report 3", learned=day, importance=0.9),
            fact("another matter", learned=day + timedelta(days=90), importance=1.0),
        ]
    )
    expected = ["report 3", "report 2", "report 1", "another matter"]
    assert texts(await memories.recall("report", least_similar=-1)) == expected
    words_only = await opening(None)
    assert texts(await words_only.recall("report")) == expected[:3]


async def test_an_important_or_late_memory_never_pushes_out_the_answer(opening: Opening) -> None:
    memories = await opening(ByWords())
    long_ago = datetime(2020, 1, 1, tzinfo=UTC)
    await memories.keep([fact("the boiler is under the stairs", learned=long_ago, importance=0)])
    await memories.keep([fact(f"the garden has bed {n}", importance=1) for n in range(60)])
    assert texts(await memories.recall("where is the boiler"))[0].startswith("the boiler")


async def test_expired_memories_are_left_out(opening: Opening) -> None:
    memories = await opening(ByWords())
    namespace = OWNER.namespace("fact")
    store = memories._store
    await store.aput(namespace, "a" * 32, {"text": "the code is red"}, ttl=60)
    await store.aput(namespace, "b" * 32, {"text": "the code is blue"}, ttl=60)
    async with store.pool.connection() as connection:
        await connection.execute(
            "UPDATE store SET expires_at = now() - interval '1 minute' WHERE key = %s", ("a" * 32,)
        )
    assert texts(await memories.recall("the code")) == ["the code is blue"]
    words_only = await opening(None)
    assert texts(await words_only.recall("the code")) == ["the code is blue"]
    [kept] = await memories.keep([fact("the code is red")])
    assert kept.how == "new"


async def test_odd_questions_find_nothing_and_break_nothing(opening: Opening) -> None:
    memories = await opening(ByWords())
    await memories.keep([fact("it's a 'quoted' & | ! <-> \\ word")])
    for question in ("", "   ", "\0", "\ud800", "' | & ! :* <-> \\", "the of and", "x" * 100_000):
        await memories.recall(question)
    assert len((await memories.recall("it's 'quoted' \\ & word:*")).found) == 1
