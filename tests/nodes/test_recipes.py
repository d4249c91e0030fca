"""Recipes: tasks from a file, and what is wrong with one in a line."""

from pathlib import Path

import pytest

from replan.nodes.contract import Brief, DecomposeRequest, DecomposeResult
from replan.nodes.decompose.recipes import filled, order_of, ordered_in, read_recipe
from replan.nodes.decompose.template import DecomposeByRecipe
from replan.state.errors import SettingError
from replan.state.settings import settings
from replan.state.task import Check

RECIPE = """\
about = "The sales of a week as a report"

[values]
language = "English"

[[tasks]]
name = "totals"
title = "Write the totals of sales_{{week}}.csv to totals_{{ week }}.csv"
writes = ["totals_{{week}}.csv"]

[[tasks]]
title = "Write report_{{week}}.md in {{language}} from $totals, for $5"
writes = ["report_{{week}}.md"]
after = ["totals"]
calls = [{ tool = "python", args = { code = "print(f'{x}', '$totals')" } }]

[[checks]]
kind = "file_contains"
path = "report_{{week}}.md"
text = "{{week}}"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "weekly-report.toml").write_text(RECIPE)
    return tmp_path


def made(folder: Path, order: str) -> DecomposeResult:
    ordered = order_of(order)
    tasks, checks = filled(read_recipe(ordered.recipe, folder), ordered)
    return DecomposeResult(tasks=tasks, checks=checks)


def test_the_values_stand_in_their_places(folder: Path) -> None:
    result = made(folder, 'weekly-report week=47 language="plain English"')
    one, two = result.tasks
    assert one.title == "Write the totals of sales_47.csv to totals_47.csv"
    assert two.title == "Write report_47.md in plain English from $t1, for $5"
    assert (one.writes, two.writes) == (["totals_47.csv"], ["report_47.md"])
    assert (one.depends_on, two.depends_on) == ([], ["t1"])
    assert two.calls[0].args == {"code": "print(f'{x}', '$t1')"}
    assert result.checks == [
        Check(kind="file_exists", path="totals_47.csv"),
        Check(kind="file_exists", path="report_47.md"),
        Check(kind="file_contains", path="report_47.md", text="47"),
    ]


def test_a_default_counts_where_nothing_is_given(folder: Path) -> None:
    assert "in English from" in made(folder, "weekly-report week=47").tasks[1].title


def test_a_recipe_by_the_path_of_its_file(folder: Path, tmp_path: Path) -> None:
    file = folder / "weekly-report.toml"
    assert made(tmp_path / "elsewhere", f"{file} week=1").tasks[0].writes == ["totals_1.csv"]


@pytest.mark.parametrize(
    ("order", "said"),
    [
        ("monthly", "there is no recipe 'monthly'. There are: weekly-report."),
        ("weekly-report", "needs a value for 'week'. Give it: weekly-report week=VALUE."),
        ("weekly-report wek=47", "takes no value 'wek'. It takes: language, week."),
        ("weekly-report 47", "'47' is no value of a recipe. Write NAME KEY=VALUE"),
        ('weekly-report week="47', "cannot be read: No closing quotation."),
        ("../../etc/passwd week=1", "there is no recipe '../../etc/passwd'."),
    ],
)
def test_a_wrong_order_is_named_in_one_line(folder: Path, order: str, said: str) -> None:
    with pytest.raises(SettingError) as raised:
        made(folder, order)
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("tasks = [", "bad.toml is not TOML"),
        ("about = 'none'", "bad.toml: tasks: Field required"),
        ("[[tasks]]\ntitel = 'a'", "bad.toml: tasks.0.title: Field required"),
        ("[[tasks]]\ntitle = 'a'\nafter = ['b']", "task 1 come after 'b', which does not stand"),
        ("[[tasks]]\ntitle = 'a'\nname = 'two words'", "calls task 1 'two words'"),
        ("[[tasks]]\ntitle = 'a'\n[[checks]]\nkind = 'nice'", "bad.toml: checks.0.kind"),
    ],
)
def test_a_file_that_is_no_recipe_is_named(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "bad.toml").write_text(text)
    with pytest.raises(SettingError) as raised:
        made(tmp_path, "bad")
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("goal", "order"),
    [
        ("recipe: weekly-report week=47", "weekly-report week=47"),
        ("Recipe：weekly-report\nweek=47", "weekly-report\nweek=47"),
        ("Write a recipe: pancakes", ""),
        ("recipe:", ""),
    ],
)
def test_what_a_goal_orders(goal: str, order: str) -> None:
    assert ordered_in(goal) == order


@pytest.fixture
def recipes(monkeypatch: pytest.MonkeyPatch, folder: Path):
    monkeypatch.setenv("REPLAN_RECIPES", str(folder))
    settings.cache_clear()
    yield
    settings.cache_clear()


@pytest.mark.usefixtures("recipes")
async def test_the_order_of_the_goal_or_of_the_run_and_else_one_task() -> None:
    ask = DecomposeByRecipe()
    of_goal = await ask(DecomposeRequest(brief=Brief(goal="recipe: weekly-report week=3")), None)
    of_run = await ask(
        DecomposeRequest(brief=Brief(goal="Tell me"), recipe="weekly-report week=4"), None
    )
    none = await ask(DecomposeRequest(brief=Brief(goal="Tell me")), None)
    assert [each.writes for each in of_goal.tasks] == [["totals_3.csv"], ["report_3.md"]]
    assert of_run.tasks[0].writes == ["totals_4.csv"]
    assert [each.title for each in none.tasks] == ["Tell me"]
