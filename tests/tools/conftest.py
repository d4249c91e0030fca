from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from replan.state.approval import parse_rule
from replan.state.task import Action, Observation
from replan.tools.policy import Policy
from replan.tools.toolbox import Toolbox
from replan.tools.workspace import Workspace, open_workspace

Call = Callable[..., Awaitable[Observation]]


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return open_workspace(tmp_path / "work", create=True)


@pytest.fixture
def toolbox(workspace: Workspace) -> Toolbox:
    """The built-in tools; calls that would ask a person are allowed."""
    policy = Policy((parse_rule("allow:*"),))
    return Toolbox(workspace, seconds_per_call=20, policy=policy)


@pytest.fixture
def call(toolbox: Toolbox) -> Call:
    async def make(
        tool: str, *, seconds: float | None = None, protected: Sequence[str] = (), **args: Any
    ) -> Observation:
        return await toolbox.call(Action(tool=tool, args=args), seconds, protected)

    return make
