"""Names of users and projects as labels of namespaces, and back."""

import pytest
from langgraph.store.memory import InMemoryStore

from replan.memory.owner import Owner, owner_and_kind
from replan.state.errors import UsageError

NAMES = [
    "",
    "ann",
    "a.b",
    "%",
    "%2E",
    "*",
    "a b/c",
    "张三",
    "\n",
    "x" * 200,
    "-",
    "É",
    "%%",
    "\ud800",
]


async def test_every_name_comes_back_and_no_two_are_one() -> None:
    store = InMemoryStore()
    seen = set()
    for user in NAMES:
        for project in NAMES:
            owner = Owner(user, project)
            await store.aput(owner.namespace("fact"), "k", {"text": "x"})  # refuses a bad label
            [prefix] = owner.prefixes(["fact"])
            assert owner_and_kind(prefix) == (owner, "fact")
            seen.add(prefix)
    assert len(seen) == len(NAMES) ** 2


def test_plain_names_stay_readable() -> None:
    assert Owner("ann", "销售 2024").namespace("skill") == ("memory", "ann", "销售 2024", "skill")
    assert Owner("a.b").prefixes(["fact"]) == ["memory.a%2Eb.%.fact"]


def test_other_namespaces_are_nobodys() -> None:
    for prefix in ("outputs", "memory.a.b", "memory.a.b.dream", "x.a.b.fact", "memory.a.b.fact.c"):
        assert owner_and_kind(prefix) is None


def test_a_name_too_long_is_refused() -> None:
    with pytest.raises(UsageError, match="project has 201 characters"):
        Owner("ann", "x" * 201)
