"""A whole goal with the embedded model, as a user runs it; all ten: `make e2e`."""

import importlib.util
from pathlib import Path

import pytest

pytest.importorskip("xllamacpp")
_spec = importlib.util.spec_from_file_location(
    "run_goals", Path(__file__).with_name("run_goals.py")
)
assert _spec
assert _spec.loader
run_goals = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(run_goals)


@pytest.mark.e2e
@pytest.mark.timeout(400)
@pytest.mark.parametrize("name", ["sales"])
def test_a_goal_is_reached(name: str, replan_home: Path, tmp_path: Path) -> None:
    goal = next(goal for goal in run_goals.GOALS if goal.name == name)
    row = run_goals.run_goal(goal, replan_home, tmp_path, [])
    assert row["passed"], (row["fault"], Path(str(row["log"])).read_text()[-2000:])
    assert row["status"] == "done"
    assert int(row["calls"]) > 0
