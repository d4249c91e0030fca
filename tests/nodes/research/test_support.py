"""What a source holds, and what it does not: decided by letters and figures."""

import pytest

from replan.nodes.research.support import names, numbers, plain, problem_of

DOUBLE = "A double shot takes 18 grams in and 36 grams out in about 28 seconds."
STEEP = "Steep coarse grounds in the refrigerator for sixteen hours, strain through paper."
WEB = "2024年，Web3.0市场规模达到三百二十亿美元，年增长率为 28%。"


@pytest.mark.parametrize(
    ("claim", "passage"),
    [
        ("A double shot uses 18 grams of coffee and yields 36 grams.", DOUBLE),
        ("A double shot takes about 28 seconds.", DOUBLE),
        (DOUBLE, DOUBLE),
        ("It steeps for 16 hours in the refrigerator.", STEEP),
        ("It steeps for sixteen hours in the refrigerator.", STEEP),
        ("一份双份咖啡用 18 克粉，萃取出 36 克。", DOUBLE),  # of another language
        ("冷萃需要16小时。", STEEP),
        ("2024 年 Web3.0 市场规模达到 320 亿美元。", WEB),
        ("The growth rate is 28 %.", WEB),
        ("The scheme matches up to 6 percent.", "The scheme is matched up to six percent."),
        ("They paid 1,200 euros for it.", "For it they paid 1200 euros."),
        ("Receipts are due in 30 days.", "Receipts have to be handed in within thirty days."),
    ],
)  # fmt: skip
def test_what_the_passage_says_holds(claim: str, passage: str) -> None:
    assert problem_of(claim, passage, f"Something before. {passage} Something after.") == ""


@pytest.mark.parametrize(
    ("claim", "passage", "why"),
    [
        ("A double shot takes 20 grams.", DOUBLE, "number 20"),
        ("A double shot takes eighty grams.", DOUBLE, "number 80"),
        ("Since 1998 a double shot takes 18 grams.", DOUBLE, "number 1998"),
        ("市场规模达到 500 亿美元。", WEB, "number 500"),
        ("市场规模达到五百亿美元。", WEB, "number 500"),
        ("A double shot takes 18 grams, says Illy.", DOUBLE, "name 'Illy'"),
        ("OpenAI says a double shot takes 18 grams.", DOUBLE, "name 'OpenAI'"),
        ("根据Gartner的报告，市场规模达到三百二十亿美元。", WEB, "name 'Gartner'"),
        ("根据《未来日报》，增长率为 28%。", WEB, "name '未来日报'"),
        ("Bears sleep through long winters in caves.", DOUBLE, "about something else"),
        ("熊在冬天会睡很长时间。", WEB, "about something else"),
        ("", DOUBLE, "no statement"),
    ],
)
def test_what_the_passage_does_not_say_does_not(claim: str, passage: str, why: str) -> None:
    assert why in problem_of(claim, passage, passage)


def test_the_passage_has_to_stand_in_the_source() -> None:
    assert problem_of(DOUBLE, DOUBLE, STEEP) == "the passage is not in the source"
    assert problem_of("It is so.", "", STEEP) == "there is no statement, or no passage"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Two\n  lines", "two lines"),
        ("Ｗｅｂ３．０", "web3.0"),
        ("市场\n规模", "市场规模"),
        ("规模 达到 320 亿", "规模达到320亿"),
        ("“quoted”", "“Quoted”"),
    ],
)
def test_blanks_width_and_case_do_not_count(one: str, other: str) -> None:
    assert plain(one) == plain(other)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("1,234.50 and 7", ["1234.5", "7"]),
        ("007", ["7"]),
        ("one of them", []),
        ("twenty-five", ["25"]),
        ("一些人统一意见", []),
        ("one hundred and eighty days", ["180"]),
        ("two or three", ["2", "3"]),
        ("二十五岁", ["25"]),
        ("百分之五", []),
        ("2,5 litres", ["2.5"]),
    ],
)
def test_numbers_have_one_form(text: str, found: list[str]) -> None:
    assert list(numbers(text)) == found


def test_what_proves_is_read_in_every_way() -> None:
    assert {"1", "5", "100"} <= set(numbers("百分之五, one", all_numerals=True))
    assert {"20", "5", "25"} <= set(numbers("twenty-five", all_numerals=True))


@pytest.mark.parametrize(
    ("claim", "found"),
    [
        ("Receipts are due in May.", ["May"]),
        ("It was Ada Lovelace's idea.", ["Ada", "Lovelace"]),
        ("It works. Then it ends.", []),
        ("GDP grew.", ["GDP"]),
        ("他们使用 ETH 支付。", ["ETH"]),
        ("the so-called “deep state” of it", ["deep state"]),
    ],
)
def test_names_are_what_a_claim_calls_by_name(claim: str, found: list[str]) -> None:
    assert list(names(claim)) == found
