"""What a prompt tells of the workspace: everything that matters, in bounded room."""

from pathlib import Path

import pytest

from replan.nodes.survey import survey
from replan.tools.workspace import Workspace, open_workspace


@pytest.fixture
def place(workspace: Path) -> Workspace:
    return open_workspace(workspace, create=False)


async def test_an_empty_workspace(place: Workspace) -> None:
    assert await survey(place, []) == "The workspace is empty."


async def test_named_files_are_shown_whole_and_others_by_their_head(place: Workspace) -> None:
    text = "\n".join(f"Sentence {'of many words ' * (at % 3)}." for at in range(15))
    await place.write_text("named.md", text)
    await place.write_text("other.md", text)
    told = await survey(place, ["named.md", "not_there.md"])
    assert told.startswith("Files in the workspace: named.md, other.md\n")
    assert f"named.md holds:\n{text}" in told
    assert "other.md begins (15 lines):\nSentence ." in told
    assert "not_there" not in told


async def test_of_tables_only_the_head_is_shown_even_when_named(place: Workspace) -> None:
    await place.write_text("a.csv", "id,price\n" + "\n".join(f"{at},2" for at in range(99)))
    told = await survey(place, ["a.csv"])
    assert "a.csv begins (100 lines of data):\nid,price\n0,2\n1,2\n2,2\n...\n" in told
    assert "pandas.read_csv('a.csv') has the columns id,price" in told
    assert "50,2" not in told


async def test_records_are_known_by_their_look(place: Workspace) -> None:
    await place.write_text("a.txt", "\n".join(f"2026-01-0{at % 9} x {at}" for at in range(30)))
    told = await survey(place, ["a.txt"])
    assert "30 lines of data" in told
    assert "parts[0] = '2026-01-00'  # %Y-%m-%d" in told


async def test_beside_a_test_stands_what_it_tests(place: Workspace) -> None:
    await place.write_text("test_calc.py", "from calc import add\n")
    await place.write_text("calc.py", "def add(a, b):\n    return a\n")
    told = await survey(place, [])
    assert "test_calc.py holds:\nfrom calc import add" in told
    assert "calc.py holds:\ndef add(a, b):" in told


async def test_the_room_is_bounded(place: Workspace) -> None:
    for at in range(30):
        await place.write_text(f"f{at}.md", f"{at} is said here. " * 1000)
    (place.path / "image.png").write_bytes(b"\x89PNG\0\0")
    told = await survey(place, [f"f{at}.md" for at in range(30)])
    assert len(told) < 9000
    assert "PNG" not in told


async def test_of_many_files_one_of_each_kind_and_folder_is_opened(place: Workspace) -> None:
    for at in range(70):
        await place.write_text(f"bills/{at:02}.txt", f"Amount: {at} euros")
        await place.write_text(f"notes/{at:02}.txt", f"note {at}")
    told = await survey(place, [])
    assert "(and 80 more)" in told
    assert told.count(" holds:\n") == 2
    assert "bills/00.txt holds:\nAmount: 0 euros\nnotes/00.txt holds:\nnote 0" in told


async def test_what_the_goal_means_is_shown_where_it_is_little(place: Workspace) -> None:
    for at in range(10):
        await place.write_text(f"site_{at}.md", "\n".join([f"Site {at}.", *["More."] * 5]))
    await place.write_text("long.md", "A long sentence.\n" * 200)
    told = await survey(place, [], ["site_3.md", "long.md"])
    assert "site_3.md holds:\nSite 3.\nMore." in told
    assert "long.md begins (200 lines" in told
    many = await survey(place, [], [*(f"site_{at}.md" for at in range(10)), "long.md"])
    assert "Site 9." not in many


async def test_what_cannot_be_read_is_said(place: Workspace) -> None:
    (place.path / "gone.txt").symlink_to(place.path / "nowhere")
    assert "gone.txt does not exist." in await survey(place, ["gone.txt"])


async def test_many_files_are_shown_where_they_are_short(place: Workspace) -> None:
    short = [f"notes/{at:02}.txt" for at in range(12)]
    for at, path in enumerate(short):
        await place.write_text(path, f"Note {at}: {'abcdefghijkl'[at] * 100}")
    assert "Note 11:" in await survey(place, [], short)
    await place.write_text("notes/05.txt", "a long one\n" * 300)
    told = await survey(place, [], short)
    assert "Note 0:" in told
    assert "Note 11:" not in told


async def test_of_files_of_one_form_one_is_shown(place: Workspace) -> None:
    days = [f"days/{at:02}.txt" for at in range(12)]
    for at, path in enumerate(days):
        await place.write_text(path, f"Begun at {at}")
    told = await survey(place, [], days)
    assert "Begun at 0" in told
    assert "Begun at 1" not in told
    assert "(all 12 .txt files in days/ are of one form)" in told
    assert "Begun at 1" in await survey(place, [], days[:3])


async def test_what_stands_for_many_files_is_shown_whole(place: Workspace) -> None:
    filler = "It rained all day.\nNobody came.\n" * 10
    for at in range(12):
        await place.write_text(f"days/{at:02}.txt", f"{filler}Guests: {at}\n")
    assert "Guests: 0" in await survey(place, [])


async def test_of_a_long_text_what_is_nearest_to_the_goal_is_shown(place: Workspace) -> None:
    names, talk = ("Ann", "Bob", "Cy"), ("It rains.", "Who has the key?", "The cat sleeps.")
    rows = [f"{names[at % 3]}: {talk[at % 7 % 3]}" for at in range(400)]
    rows[211] = "Bob: my cat is called Minka"
    await place.write_text("talk.txt", "\n".join(rows))
    goal = "Write the name of Bob's cat, as talk.txt has it, to cat.txt"
    told = await survey(place, ["talk.txt"], (), goal)
    assert "Of the rest of talk.txt, what is nearest to the goal: data from outside." in told
    assert told.count("Bob: my cat is called Minka") == 1
    assert told.count("Bob: The cat sleeps.") <= 2  # once in the beginning, perhaps
    assert "Minka" not in await survey(place, ["talk.txt"])
    assert "Minka" not in await survey(place, [], (), goal)


async def test_a_short_log_is_shown_whole(place: Workspace) -> None:
    trace = "Traceback (most recent call last):\n  File 'a.py', line 2\n    x\n    ^\nNameError: x"
    await place.write_text("crash.log", trace)
    assert f"crash.log holds:\n{trace}" in await survey(place, ["crash.log"])
    await place.write_text("crash.log", "\n".join(f"{at} went well" for at in range(13)))
    assert "crash.log begins (13 lines of data)" in await survey(place, ["crash.log"])


async def test_records_of_a_few_kinds_are_data(place: Workspace) -> None:
    kinds = ("open door", "close door", "status ok", "no news today", "ping")
    await place.write_text("t.txt", "\n".join(kinds[at % 5] + f" {at}" for at in range(200)))
    assert "t.txt begins (200 lines of data)" in await survey(place, ["t.txt"])


async def test_how_ini_files_are_read_is_told(place: Workspace) -> None:
    await place.write_text("a.ini", "[x]\ny = 1\n")
    assert "config.read(path)" in await survey(place, [])


async def test_of_files_with_a_wanted_value_no_others_are_shown(workspace: Path) -> None:
    for at, sender in enumerate(("otto@firm.example", "lea@firm.example", "lea@firm.example")):
        file = workspace / "mails" / f"{at}.txt"
        file.parent.mkdir(exist_ok=True)
        file.write_text(f"From: {sender}\nSubject: {at}\n\nHello {at}!\n")
    place = open_workspace(workspace, create=False)
    paths = await place.files()
    wanted = await survey(place, [], paths, "Write the subjects from lea@firm.example to a.txt")
    assert "mails/1.txt holds:" in wanted
    assert "mails/0.txt holds:" not in wanted
    assert "mails/2.txt holds:" not in wanted
    assert "mails/0.txt holds:" in await survey(place, [], paths, "Write all subjects to a.txt")


async def test_code_of_many_lines_is_no_data(workspace: Path) -> None:
    (workspace / "a.py").write_text("def f():\n" + "    pass\n" * 40)
    told = await survey(open_workspace(workspace, create=False), [])
    assert "lines of data" not in told
