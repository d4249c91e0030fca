"""What a replay has in place of the world: the record. Nothing is called, started or written."""

import asyncio
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

from langgraph.runtime import Runtime
from langgraph.store.base import BaseStore

from replan.graphs.part import context_of
from replan.graphs.recording import place_of
from replan.memory.protocol import Memories
from replan.memory.recorded import RecordedMemories
from replan.models.chat import ChatModel
from replan.models.embeddings import choose_embedder
from replan.state.approval import parse_rule
from replan.state.context import Context
from replan.state.errors import ContractError
from replan.state.task import Observation
from replan.storage.recorded_store import RecordedStore
from replan.storage.recording import Recording
from replan.storage.replayed_folder import ReplayedFolder
from replan.storage.replaying import RecordedStep, Replaying
from replan.storage.revisions import Taken
from replan.tools.documents.search_documents import SearchDocuments
from replan.tools.policy import Policy
from replan.tools.protocol import CallContext, Tool
from replan.tools.toolbox import default_tools
from replan.tools.workspace import Workspace

if TYPE_CHECKING:
    from replan.graphs.cast import Scene


@dataclass
class Told:
    """What the journal notes of a run's settings; see `replan.graphs.means.told_of`.

    `thread` is the id it ran under, which an import may have changed; `workspace` is the digest of
    its files then.
    """

    context: dict[str, Any] = field(default_factory=dict)
    rules: list[str] = field(default_factory=list)
    built_in: dict[str, str] = field(default_factory=dict)
    others: list[dict[str, Any]] = field(default_factory=list)
    thread: str = ""
    workspace: str = ""


@dataclass
class ReplayedMeans:
    """The `Means` of a replay.

    Attributes:
        folder: stands for the workspace.
        step: the super-step that is replayed now.
        told: the run's settings at it.
        asked_of: name and traits of the model that an execution asked first.
        copies: the folders that stand for copies of the workspace, by path.
    """

    folder: Workspace
    step: RecordedStep
    told: Told
    asked_of: Mapping[str, tuple[str, Mapping[str, Any]]]
    copies: dict[Path, ReplayedFolder] = field(default_factory=dict)
    _left: dict[Path, str] = field(default_factory=dict)

    def context(self, runtime: Runtime[Context], own: Context | None = None) -> Context:
        """As it was recorded: what its strategy set then is in it."""
        return context_of(runtime, own)

    async def open_workspace(self, runtime: Runtime[Context]) -> Workspace:
        """Nothing is made; the run's own folder is left alone."""
        return self.folder

    def workspace(self, path: str) -> Workspace:
        """The folder that stands for it."""
        return self.folder

    async def copy(
        self,
        runtime: Runtime[Context],
        workspace: Workspace,
        branch: str,
        apart: Mapping[str, str],
    ) -> tuple[Workspace, dict[str, str]] | None:
        """A folder of the replay's own, with the files of the copy as the step met them."""
        noted = self.step.copies.get(branch)
        if not apart["revision"] and noted is None:  # it worked in the workspace itself
            return None
        now = dict(apart) if apart["revision"] else dict(noted or {})
        name = hashlib.sha256(branch.encode("utf-8", "replace")).hexdigest()
        path = self.folder.path.with_name(f"copy-{name}")
        if path not in self.copies:
            await asyncio.to_thread(path.mkdir)
            self.copies[path] = ReplayedFolder(path, self.step.journal.revisions)
        await self.copies[path].become(now["revision"])
        self._left[path] = (noted or now)["revision"]
        return Workspace(path), now

    async def recording(
        self, runtime: Runtime[Context], workspace: Workspace, task: str, main: Workspace
    ) -> Recording:
        """The recorded calls of the execution."""
        place = place_of(runtime, task)
        copy = self.copies.get(workspace.path)
        if copy is None:
            return Replaying(self.step, place.execution, place.node, task)
        left = self._left[workspace.path]
        taken = Taken(left, 0, await copy.missing_since(copy.revision, left))
        return Replaying(self.step, place.execution, place.node, task, copy, taken)

    async def chat(self, where: "Scene") -> ChatModel:
        """What a question's form depends on; there is nobody to ask."""
        assert isinstance(where.recording, Replaying)
        name, traits = self.asked_of.get(where.recording.execution, (where.context.model, {}))
        client = SimpleNamespace(profile=dict(traits.get("profile", {})))
        return ChatModel(cast(Any, client), name, traits.get("provider", "server"))

    async def tools(self, where: "Scene", own: Sequence[Tool]) -> tuple[list[Tool], Policy]:
        """Today's built-in and own tools, available as they were; the others as they were."""
        built_in = default_tools(SearchDocuments(where.context.documents, choose_embedder))
        for tool in built_in:
            if (why_not := self.told.built_in.get(tool.name)) is not None:
                # Each is made for this node: its own answer is put in place of looking.
                vars(tool)["unavailable"] = lambda why_not=why_not: why_not
        given = {tool.name: tool for tool in own}
        others = [given.get(one["name"]) or _tool_of_then(one) for one in self.told.others]
        policy = Policy(tuple(parse_rule(text) for text in self.told.rules))
        return [*built_in, *others], policy

    def store(self, where: "Scene") -> BaseStore | None:
        """The recorded reads; nothing is written."""
        return RecordedStore(None, where.recording)

    async def memory(self, where: "Scene") -> Memories | None:
        """What was recalled; nothing is kept."""
        return RecordedMemories(None, where.recording)

    def seconds(self, limit: float | None) -> float | None:
        """No limit: where the time ran out, the record says so."""
        return None


@dataclass
class ToolOfThen:
    """A tool that is not built in, such as an MCP server's, as the run was told of it."""

    name: str
    description: str
    parameters: dict[str, Any]
    content: str | None = None
    content_language: str = ""
    leaves: bool = True
    subject: str = ""
    names_others: bool = False
    why_not: str = ""

    def named(self, name: str) -> Tool | None:
        """A tool of a server that was down when the run was told of it."""
        own = self.names_others and name.startswith(f"{self.name}__")
        return replace(self, name=name, names_others=False, why_not="") if own else None

    def unavailable(self) -> str:
        """As it was then."""
        return self.why_not

    async def call(self, args: dict[str, Any], context: CallContext) -> Observation:
        """Never called: the record answers.

        Raises:
            ContractError: it was called all the same.
        """
        raise ContractError(f"a replay called {self.name}.")


def _tool_of_then(noted: Mapping[str, Any]) -> ToolOfThen:
    return ToolOfThen(**{**noted, "parameters": json.loads(noted["parameters"])})
