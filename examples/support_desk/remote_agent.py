"""The agent of a LangGraph server in the place of the one in this process."""

from typing import Any
from uuid import NAMESPACE_URL, uuid5

from langchain_core.runnables import RunnableConfig
from langgraph.config import get_config
from langgraph.pregel.remote import RemoteGraph
from langgraph_sdk import get_client

from replan.state.context import Context


class RemoteAgent:
    """Answers as `build_agent()` does, on a server such as `langgraph dev`.

    Args:
        url: of the server.
        context: what the agent is told there; without it, the server's own settings hold.
        graph: the name that the server's langgraph.json gives the agent.
    """

    def __init__(self, url: str, context: Context | None = None, graph: str = "agent") -> None:
        self._url, self._name = url, graph
        self._context = (context or Context()).changed()

    async def ainvoke(self, input: Any, /) -> Any:
        """Run it there, on a thread of its own: with this thread's id it would write among the
        checkpoints of this graph, where both are kept in one database.
        """
        config = get_config()
        caller = config["metadata"].get("langgraph_checkpoint_ns", "")
        thread = uuid5(NAMESPACE_URL, f"{config['configurable'].get('thread_id')}/{caller}")
        there = RunnableConfig(configurable={"thread_id": str(thread)})
        async with get_client(url=self._url) as client:
            agent = RemoteGraph(self._name, client=client)
            return await agent.ainvoke(input, there, context=self._context)
