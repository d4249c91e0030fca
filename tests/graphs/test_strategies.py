"""Strategies: what they set, what beats them, and a run by each."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from replay_again import again
from scripted_agent import Move, ScriptedAgent

from replan.graphs.context_schema import OfferedContext
from replan.graphs.strategies import LIMITS, strategies, with_strategy
from replan.nodes.registry import names
from replan.state.context import ROLES, Context
from replan.state.errors import SettingError
from replan.state.settings import settings

GOAL = "Write the word hello to hello.txt"
WRITE = Move("write_file", "hello", path="hello.txt")
BUILT_IN = [
    "one_shot", "plan_execute", "react", "rewoo", "reflexion", "compiler", "best_of"
]  # fmt: skip


MINE = '[strategies.mine]\ndecompose = "none"\nreflect = "checks"\nmax_steps = 3'
OTHERWISE = '[strategies.mine]\nplan = "dag"\nreflect = "llm"\nmax_steps = 1'


@pytest.fixture
def own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """A settings file, to be written."""
    monkeypatch.chdir(tmp_path)
    settings.cache_clear()
    yield tmp_path / "replan.toml"
    settings.cache_clear()


def test_every_built_in_strategy_says_what_it_is_for_and_sets_what_there_is() -> None:
    known = strategies()
    assert list(known)[: len(BUILT_IN)] == BUILT_IN
    for one in known.values():
        assert one.about.startswith("For ")
        assert one.fields.keys() <= {*ROLES, *LIMITS}
        for role in ROLES:
            if role in one.fields:
                assert one.fields[role] in names(role)


def test_limits_of_a_strategy_are_fields_of_the_context() -> None:
    assert set(LIMITS) <= Context.model_fields.keys()


def test_what_is_set_by_name_beats_the_strategy_even_where_it_is_the_default() -> None:
    context = Context(strategy="rewoo", plan="sequence", max_steps=7)
    resolved = with_strategy(context)
    assert (resolved.plan, resolved.decompose, resolved.reflect) == ("sequence", "none", "checks")
    assert resolved.max_steps == 7
    # Kept with the thread and read again, it is the same.
    assert with_strategy(Context(**context.changed())) == resolved


def test_without_a_strategy_nothing_changes() -> None:
    context = Context(plan="dag")
    assert with_strategy(context) is context


def test_a_form_that_sends_every_field_leaves_the_strategy_its_say() -> None:
    fields = Context(strategy="rewoo", report="template").model_dump()
    resolved = with_strategy(OfferedContext(**fields))
    assert (resolved.plan, resolved.report) == ("rewoo", "template")


def test_an_unknown_strategy_is_told_which_there_are() -> None:
    with pytest.raises(SettingError, match=r"no strategy 'rewo'.*one_shot, .*best_of") as raised:
        with_strategy(Context(strategy="rewo"))
    assert raised.value.exit_code == 2


def test_an_own_strategy_of_the_settings_file(own: Path) -> None:
    own.write_text(
        '[strategies.careful]\nabout = "For what must not fail."\nplan = "dag"\nmax_attempts = 9\n'
        "[strategies.react]\nmax_attempts = 2\n"
    )
    known = strategies()
    assert list(known) == [*BUILT_IN, "careful"]
    assert (known["careful"].own, known["react"].own, known["rewoo"].own) == (True, True, False)
    resolved = with_strategy(Context(strategy="careful"))
    assert (resolved.plan, resolved.max_attempts) == ("dag", 9)
    assert with_strategy(Context(strategy="react")).decompose == "llm"  # it took the other's place


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ('[strategies.mine]\nplam = "dag"', "strategies.mine: a strategy cannot set 'plam'"),
        ('[strategies.mine]\nworkspace = "/"', "a strategy cannot set 'workspace'"),
        ("[strategies.mine]\nmax_steps = 0", "strategies.mine: max_steps: Input should be greater"),
        ("[strategies.mine]\nabout = 7", "strategies.mine: about: Input should be a valid string"),
        ("[strategies]\nmine = 7", "strategies.mine: it is no section"),
    ],
)
def test_an_own_strategy_that_cannot_be_is_named(own: Path, table: str, said: str) -> None:
    own.write_text(table)
    with pytest.raises(SettingError) as raised:
        strategies()
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("strategy", BUILT_IN)
async def test_a_goal_is_reached_by_every_strategy(start_agent, strategy: str) -> None:
    model = ScriptedAgent([WRITE])
    async with start_agent(model) as agent:
        values = await agent.run(GOAL, strategy=strategy)
        assert (values["status"], agent.read("hello.txt")) == ("done", "hello")


async def test_a_limit_of_a_strategy_holds(start_agent) -> None:
    model = ScriptedAgent([Move("python", "print('elsewhere')")])
    async with start_agent(model) as agent:
        values = await agent.run(GOAL, strategy="one_shot")
        assert values["status"] == "failed"
        assert (values["usage"]["steps"], model.asked.count("replan")) == (1, 0)


async def test_an_unknown_strategy_ends_a_run_before_it_begins(start_agent) -> None:
    async with start_agent(ScriptedAgent([])) as agent:
        with pytest.raises(SettingError, match="no strategy 'rewo'"):
            await agent.run(GOAL, strategy="rewo")
        assert agent.server.requests == []


async def test_a_recorded_run_is_replayed_by_what_its_strategy_was_then(
    start_agent, own: Path
) -> None:
    await asyncio.to_thread(own.write_text, MINE)
    async with start_agent(ScriptedAgent([WRITE])) as agent:
        assert (await agent.run(GOAL, strategy="mine", plan="sequence"))["status"] == "done"
        await asyncio.to_thread(own.write_text, OTHERWISE)
        settings.cache_clear()
        done = await again(agent)
        assert done.divergence is None
