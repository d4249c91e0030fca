from collections.abc import Awaitable, Callable

from replan.nodes.same_content import told_of_same_content

HASHES = {"in/c": "1", "in/a": "1", "in/b": "2", "in/l": "link:a", "in/m": "link:a", "d": "3"}


def of(hashes: dict[str, str]) -> Callable[[], Awaitable[dict[str, str]]]:
    async def look() -> dict[str, str]:
        return hashes

    return look


async def test_groups_are_told_with_a_way_to_find_them() -> None:
    told = await told_of_same_content("Delete the duplicates in in/", of(HASHES))
    assert told[0] == "The same content have: in/a, in/c"
    assert told[1].startswith("Group them by:")
    assert len(told) == 2
    scope: dict[str, object] = {"paths": [], "open": open}
    exec(told[1].removeprefix("Group them by:"), scope)
    assert scope["groups"] == {}


async def test_only_where_the_goal_is_about_it() -> None:
    assert await told_of_same_content("Count the files", of(HASHES)) == []
    assert await told_of_same_content("删除重复的文件", of(HASHES)) != []
    assert await told_of_same_content("Delete the duplicates", of({"a": "1", "b": "2"})) == []


async def test_of_many_groups_the_rest_is_counted() -> None:
    many = {f"{number:02}{letter}": str(number) for number in range(20) for letter in "ab"}
    told = await told_of_same_content("find identical files", of(many))
    assert len(told) == 10
    assert told[8] == "(and 12 more such groups)"
