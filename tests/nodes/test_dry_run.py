"""Telling of a call in place of making it."""

import os
from pathlib import Path

import pytest

from replan.nodes.contract import ExecuteRequest
from replan.nodes.execute.dry_run import RehearseCall
from replan.state.approval import parse_rule
from replan.state.task import Action, Observation
from replan.tools.policy import Policy


async def rehearsed(use, action: Action) -> Observation:
    return (await RehearseCall()(ExecuteRequest(action=action), use)).observation


@pytest.mark.parametrize(
    "action", [Action(tool="nothing"), Action(tool="write_file", args={"path": 7})]
)
async def test_a_call_that_could_not_be_made_is_a_failure(use_of, action: Action) -> None:
    async with use_of([]) as (use, _):
        seen = await rehearsed(use, action)
    assert (seen.ok, seen.reason) == (False, "")
    assert seen.error


@pytest.mark.parametrize(
    ("action", "told"),
    [
        (Action(tool="python", args={"code": "open('a.txt', 'w')"}), "python with:\nopen('a.txt'"),
        (
            Action(tool="write_file", args={"path": "a.txt", "text": "x" * 2000}),
            f"write_file path=a.txt with:\n{'x' * 600}\n",
        ),
        (Action(tool="delete_file", args={"path": "kept.txt"}), "delete_file path=kept.txt."),
    ],
)
async def test_what_changes_something_is_told_of(
    use_of, workspace: Path, action: Action, told: str
) -> None:
    (workspace / "kept.txt").write_text("kept")
    async with use_of([]) as (use, _):
        seen = await rehearsed(use, action)
    assert (seen.ok, seen.reason, seen.changed) == (True, "dry run", [])
    assert seen.text.startswith(f"Dry run, nothing was done. It would call {told}")
    assert os.listdir(workspace) == ["kept.txt"]  # noqa: PTH208


async def test_what_is_denied_is_denied_here_too(use_of, workspace: Path) -> None:
    async with use_of([]) as (use, _):
        use.tools.policy = Policy((parse_rule("deny:write_file(*)"),))
        seen = await rehearsed(use, Action(tool="write_file", args={"path": "a", "text": "b"}))
    assert (seen.ok, seen.reason) == (False, "denied")


async def test_what_only_reads_is_really_read(use_of, workspace: Path) -> None:
    (workspace / "given.txt").write_text("what is given")
    async with use_of([]) as (use, _):
        seen = await rehearsed(use, Action(tool="read_file", args={"path": "given.txt"}))
    assert (seen.ok, seen.reason) == (True, "")
    assert "what is given" in seen.text
