import sys
from pathlib import Path

import pytest

from replan.nodes.plan.dag import PlanDag
from replan.nodes.registry import BUILT_IN, implementation, names
from replan.state.errors import SettingError

PLUGGED = """
class Mine:
    async def __call__(self, request, use): ...

async def as_function(request, use): ...

ready = Mine()
"""


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installed package that brings a planner under the name `mine`."""
    (tmp_path / "my_planners.py").write_text(PLUGGED)
    info = tmp_path / "my_planners-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: my-planners\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[replan.plan]\nmine = my_planners:Mine\n")
    monkeypatch.syspath_prepend(tmp_path)
    implementation.cache_clear()
    yield
    sys.modules.pop("my_planners", None)
    implementation.cache_clear()


@pytest.mark.parametrize(("role", "name"), [(role, n) for role in BUILT_IN for n in BUILT_IN[role]])
def test_every_built_in_implementation_can_be_called(role: str, name: str) -> None:
    assert callable(implementation(role, name))


def test_a_class_is_made_once() -> None:
    assert isinstance(implementation("plan", "dag"), PlanDag)
    assert implementation("plan", "dag") is implementation("plan", "dag")


def test_an_unknown_role_is_told_which_there_are() -> None:
    for asked in (lambda: names("planner"), lambda: implementation("planner", "dag")):
        with pytest.raises(SettingError, match=r"no role 'planner'.*decompose, plan, select_tool"):
            asked()


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("htn", ""),
        ("", ""),
        ("no_such_module:X", "no_such_module"),
        ("replan.nodes.plan.dag:Nothing", "Nothing"),
        (":", ""),
    ],
)
def test_an_unknown_implementation_is_told_which_there_are(name: str, why: str) -> None:
    with pytest.raises(SettingError) as raised:
        implementation("plan", name)
    assert repr(name) in raised.value.what
    assert why in raised.value.what
    assert "There are: compiler, dag, rewoo, sequence, or module:attribute" in raised.value.todo


@pytest.mark.usefixtures("plugin")
def test_an_entry_point_is_an_implementation_by_name() -> None:
    assert names("plan") == ["compiler", "dag", "mine", "rewoo", "sequence"]
    assert type(implementation("plan", "mine")).__name__ == "Mine"
    assert names("report") == ["llm", "template"]


@pytest.mark.usefixtures("plugin")
def test_a_class_a_function_and_an_object_are_taken_by_module_and_attribute() -> None:
    assert type(implementation("plan", "my_planners:Mine")).__name__ == "Mine"
    assert implementation("plan", "my_planners:as_function").__name__ == "as_function"
    import my_planners

    assert implementation("plan", "my_planners:ready") is my_planners.ready
