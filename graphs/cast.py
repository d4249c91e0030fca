"""Who plays the roles of a run, and calling them within their contract."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from langgraph.errors import GraphBubbleUp
from langgraph.runtime import Runtime

from replan.graphs.limits import OutOf
from replan.graphs.means import LIVE, Means
from replan.graphs.part import agent_of, thread_of
from replan.models.asking import Asker
from replan.models.budget import UNLIMITED, Budget
from replan.models.chat import require_price
from replan.nodes.answering import BrokenContractError, answer_of, fault_of, named
from replan.nodes.contract import CONTRACTS, Use
from replan.nodes.registry import implementation, taken
from replan.state.agent_state import TaskBranch
from replan.state.context import Context
from replan.state.errors import ContractError, LimitReachedError, ReplanError
from replan.state.noun import Noun
from replan.state.usage import Usage, add_usage
from replan.storage.recording import UNRECORDED, RanOutError, Recording
from replan.tools.protocol import Tool
from replan.tools.sandbox.protocol import Confinement
from replan.tools.toolbox import Toolbox
from replan.tools.workspace import Workspace


@dataclass(frozen=True)
class Scene:
    """Where and with what one node works: the run's context, workspace, thread, runtime."""

    context: Context
    workspace: Workspace
    thread_id: str
    runtime: Runtime[Context]
    recording: Recording = UNRECORDED

    @property
    def confinement(self) -> Confinement:
        """The sandbox of this run, and its limits."""
        return Confinement.of(self.context)

    @property
    def agent(self) -> str:
        """Which agent of which thread it is: a bigger graph may have several."""
        return agent_of(self.runtime)

    @property
    def checkpoint_id(self) -> str:
        """Where the node started from, "" when nothing is kept of the run."""
        info = self.runtime.execution_info
        return (info.checkpoint_id if info else None) or ""

    def tell(self, **what: Any) -> None:
        """Send a progress event to whoever streams with mode `custom`."""
        self.runtime.stream_writer(what)

    def tell_progress(self, line: str, fraction: float) -> None:
        """Say how far long work has come, 0 to 1."""
        self.tell(event="progress", what=line, fraction=fraction)


class Cast:
    """The implementations of the roles: given as objects, otherwise named in the context; and the
    tools beside the built-in ones.

    Args:
        given: implementations by role.
        tools: those given as objects.
        means: what the run reaches of the world.
    """

    def __init__(
        self,
        given: Mapping[str, Any] | None = None,
        tools: Sequence[Tool] = (),
        means: Means = LIVE,
    ) -> None:
        self._given = {role: taken(role, player) for role, player in (given or {}).items()}
        self._tools = list(tools)
        self._means = means

    async def first_scene(self, runtime: Runtime[Context]) -> Scene:
        """The scene of the node that opens the run's workspace.

        Raises:
            WorkspaceError: it cannot be opened.
        """
        return await self._scene(await self._means.open_workspace(runtime), runtime, "")

    async def scene(self, workspace: str, runtime: Runtime[Context], task: str = "") -> Scene:
        """The scene of a node; `task` is the plan's task that it works on."""
        return await self._scene(self._means.workspace(workspace), runtime, task)

    async def scene_of_branch(
        self, state: TaskBranch, runtime: Runtime[Context]
    ) -> tuple[Scene, dict[str, str] | None]:
        """The scene of a node of a branch, and the revisions of the copy of the workspace that it
        works in, None where it works in the workspace itself.

        Raises:
            WorkspaceError, RevisionError: the copy cannot be made, or brought back.
        """
        main, task = self._means.workspace(state["workspace"]), state["task"]["id"]
        apart = state.get("apart")
        copy = await self._means.copy(runtime, main, state["branch"], apart) if apart else None
        if copy is None:
            return await self._scene(main, runtime, task), None
        return await self._scene(copy[0], runtime, task, main), copy[1]

    async def _scene(
        self,
        folder: Workspace,
        runtime: Runtime[Context],
        task: str,
        main: Workspace | None = None,
    ) -> Scene:
        return Scene(
            context=self._means.context(runtime),
            workspace=folder,
            thread_id=thread_of(runtime),
            runtime=runtime,
            recording=await self._means.recording(runtime, folder, task, main or folder),
        )

    async def toolbox(self, where: Scene, goal: str) -> Toolbox:
        """The tools of a node, those of MCP servers too, under the run's policy.

        Args:
            where: the node's scene.
            goal: what the prompt says of the tools depends on it alone.
        """
        tools, policy = await self._means.tools(where, self._tools)
        return Toolbox(
            where.workspace,
            tools=tools,
            confinement=where.confinement,
            policy=policy,
            goal=goal,
            recording=where.recording,
        )

    async def asker(
        self, role: str, where: Scene, budget: Budget = UNLIMITED, warmth: float = 0.0
    ) -> Asker:
        """The model of a node, to be asked through the record, no colder than `warmth`.

        Raises:
            SettingError: a limit in dollars cannot be held, the model's price is not known.
        """
        chat = await self._means.chat(where)
        require_price(where.context.max_cost, chat)
        return Asker(chat, recording=where.recording, role=role, budget=budget, warmth=warmth)

    def rehearses(self, where: Scene) -> bool:
        """Whether calls are told of and not made, so that nobody needs to agree to them."""
        return bool(getattr(self._player("execute", where), "rehearses", False))

    async def play(
        self,
        role: str,
        request: Noun,
        where: Scene,
        budget: Budget = UNLIMITED,
        tools: Toolbox | None = None,
        warmth: float = 0.0,
    ) -> tuple[Any, Usage]:
        """Has the role answered.

        Args:
            role: one of `CONTRACTS`.
            request: of the role's request type.
            where: the node's scene.
            budget: what the answer may use up.
            tools: in place of the node's own.
            warmth: the least temperature at which the model is asked.

        Returns:
            The result, of the role's result type, or `OutOf` when the budget is used up; and what
            was used.

        Raises:
            ContractError: the implementation answered with another type, failed with an error of
                its own, or did not answer in its time.
            SettingError: a limit in dollars cannot be held, the model's price is not known.
        """
        name = self._name(role, where)
        player = self._player(role, where)
        started = time.monotonic()
        budget = replace(budget, seconds=self._means.seconds(budget.seconds))
        use = Use(
            model=await self.asker(role, where, budget, warmth),
            tools=tools or await self.toolbox(where, goal_of(request)),
            store=self._means.store(where),
            thread_id=where.thread_id,
            memory=await self._means.memory(where),
            checkpoint_id=where.checkpoint_id,
        )
        where.tell(event="role", role=role, implementation=name)
        own_seconds = self._means.seconds(where.context.max_role_seconds)
        try:
            async with asyncio.timeout(budget.seconds) as limit:
                result = await answer_of(player, request, use, own_seconds)
        except LimitReachedError as error:
            result = OutOf(error.limit)
        except TimeoutError as error:
            if not (limit.expired() or isinstance(error, RanOutError)):
                raise
            where.tell(event="note", what=f"The time was up before {role} ({name}) had answered.")
            result = OutOf("max_seconds")
        except (ReplanError, OSError, GraphBubbleUp):
            raise
        except BrokenContractError as error:
            raise self._broken(role, name, str(error)) from error
        except Exception as error:
            raise self._broken(role, name, f"failed: {type(error).__name__}: {error}") from error
        else:
            if fault := fault_of(result, CONTRACTS[role].result):
                raise self._broken(role, name, fault)
        spent = Usage(seconds=time.monotonic() - started)
        return result, add_usage(use.model.usage, spent)

    def _player(self, role: str, where: Scene) -> Any:
        return self._given.get(role) or implementation(role, getattr(where.context, role))

    def _name(self, role: str, where: Scene) -> str:
        """How who plays a role is called in messages."""
        given = self._given.get(role)
        return named(given) if given else str(getattr(where.context, role))

    def _broken(self, role: str, name: str, how: str) -> ContractError:
        other = "" if role in self._given else f"choose another with --set {role}=NAME, or "
        todo = f"{other}mend it, then resume."
        return ContractError(
            f"the implementation {name!r} of {role} {' '.join(how.split())[:500]}.",
            todo[0].upper() + todo[1:],
        )


def goal_of(request: Noun) -> str:
    """What the run is for, as a request of any role says it."""
    return str(getattr(getattr(request, "brief", None) or request, "goal", ""))
