"""Files of one form are told as such."""

from pathlib import Path

from replan.nodes.groups import Group, groups_of_one_form, told_of_labels, told_of_one_form
from replan.tools.workspace import open_workspace


async def groups(
    workspace: Path, texts: list[str], ending: str = "txt", goal: str = ""
) -> list[str]:
    paths = [f"mails/{at}.{ending}" for at in range(len(texts))]
    place = open_workspace(workspace, create=False)
    for path, text in zip(paths, texts, strict=True):
        await place.write_text(path, text)
    return [group.told for group in await groups_of_one_form(place, paths, goal)]


async def test_the_same_labels(workspace: Path) -> None:
    mails = [f"From: {name}\nSubject: of {name}\n\nHello from {name}." for name in "abcdef"]
    told = await groups(workspace, mails)
    assert told == [
        "(all 6 .txt files in mails/ are of one form)\n"
        "Read them by: for path in sorted(glob.glob('mails/*.txt')): "
        "name = os.path.basename(path); text = open(path).read()\n"
        "Each holds a line From: ...; re.search('(?m)^From:(.*)', text).group(1).strip() is 'a' "
        "in the first\n"
        "Each holds a line Subject: ...; re.search('(?m)^Subject:(.*)', text).group(1).strip() is "
        "'of a' in the first"
    ]
    survey = f"Files in the workspace: ...\n{told[0]}\n"
    assert told_of_one_form(survey, ["mails/3.txt"])
    assert not told_of_one_form(survey, ["mails/3.md"])
    assert not told_of_one_form(survey, ["3.txt"])


async def test_labels_of_the_head_alone(workspace: Path) -> None:
    mails = [f"From: {name}\nSubject: x\n\nHello.\nFrom: {name}\n" for name in "abc"]
    (told,) = await groups(workspace, mails)
    assert "Each holds a line From: ...;" in told
    assert told_of_labels(f"Files in the workspace: ...\n{told}\n")
    assert not told_of_labels(f"Files in the workspace: ...\na.txt holds:\n{told}\n")


async def test_those_with_a_value_that_the_goal_names(workspace: Path) -> None:
    senders = ("lea@firm.example", "otto@firm.example", "lea@firm.example")
    mails = [
        f"From: {sender}\nSubject: {at}\n\nHi\n\nFrom: otto@firm.example\n"
        for at, sender in enumerate(senders)
    ]
    told = (
        "Read those with the line 'From: lea@firm.example' alone by: "
        "for path in ['mails/0.txt', 'mails/2.txt']: "
    )
    assert told in (await groups(workspace, mails, goal="the mails from lea@firm.example"))[0]
    assert told in (await groups(workspace, mails, goal="来自lea@firm.example的邮件"))[0]
    for goal in ("Mails by sender", "lea@firm.example and otto@firm.example", "all but xlea"):
        assert "Read them by: " in (await groups(workspace, mails, goal=goal))[0]


async def test_a_value_is_whole_words_or_an_address(workspace: Path) -> None:
    bills = [f"No: {at}\nStatus: {word}\n" for at, word in enumerate(("paid", "unpaid", "paid"))]
    told = (await groups(workspace, bills, goal="Sum up those whose status is paid"))[0]
    assert "for path in ['mails/0.txt', 'mails/2.txt']: " in told
    mails = ["From: lea@f.ex\nTo: a\n", "From: Lea <lea@f.ex>\nTo: b\n", "From: b@f.ex\nTo: c\n"]
    told = (await groups(workspace, mails, goal="the mails from lea@f.ex"))[0]
    assert "for path in ['mails/0.txt', 'mails/1.txt']: " in told


async def test_the_same_lines_but_for_numbers(workspace: Path) -> None:
    assert await groups(workspace, [f"Begun at {at}:0{at}\nDone.\n" for at in range(6)])


async def test_texts_of_their_own_are_none(workspace: Path) -> None:
    texts = [f"{word} was here.\nNobody saw {word}." for word in ("Ann", "Bob", "Cy", "Di", "Ed")]
    assert await groups(workspace, texts) == []


async def test_few_files_are_none(workspace: Path) -> None:
    assert await groups(workspace, ["Amount: 1"] * 2) == []


async def test_a_label_that_is_not_in_all_or_says_the_same_is_none(workspace: Path) -> None:
    bills = [f"Kind: bill\nNumber: {at}\nSum: {at}\nSum: 2\nPaid." for at in range(6)]
    (told,) = await groups(workspace, bills)
    assert "a line Number: ..." in told
    assert "Kind" not in told
    assert "Sum" not in told


async def test_one_odd_file_among_them_and_they_are_no_group(workspace: Path) -> None:
    bills = [f"Number: {at}\nSum: {at}" for at in range(7)]
    assert await groups(workspace, bills)
    assert await groups(workspace, [*bills[:3], "Cancelled.\nNothing due.", *bills[4:]]) == []


def test_what_a_file_holds_makes_no_group() -> None:
    line = "(all 3 .py files in src/ are of one form)"
    assert told_of_one_form(f"Files: ...\n{line}\na.md holds:\nx", ["src/a.py"])
    assert not told_of_one_form(f"Files: ...\na.md holds:\nx\n{line}\n", ["src/a.py"])
    assert not told_of_one_form(f"Files: ...\na.md begins (9 lines):\nx\n{line}\n", ["src/a.py"])


def test_odd_names_make_good_code() -> None:
    told = Group([f"it's[1]/{at}.txt" for at in range(3)], ["It's: 7"]).told
    compile(told.splitlines()[1].removeprefix("Read them by: "), "told", "exec")
    assert "[[]1]" in told
