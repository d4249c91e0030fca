"""langgraph's own ReAct agent on one goal, in the current folder, with its default prompt.

It is deprecated in favour of `create_agent`, which is in another package, langchain.
"""

import json
import os
import warnings

from langchain_core.runnables import RunnableConfig
from langchain_openai import ChatOpenAI
from langgraph.errors import GraphRecursionError
from langgraph.prebuilt import create_react_agent
from langgraph.warnings import LangGraphDeprecatedSinceV10
from peer_tools import arguments, tools_for


def main() -> None:
    """Work on the goal; print how it ended."""
    asked = arguments()
    model = ChatOpenAI(model=os.environ["OPENAI_MODEL"], temperature=0.0)
    with warnings.catch_warnings(action="ignore", category=LangGraphDeprecatedSinceV10):
        agent = create_react_agent(model, tools_for(asked.documents))
    config = RunnableConfig(
        recursion_limit=2 * asked.steps + 1
    )  # a model call and its tools are two steps
    try:
        ended = agent.invoke({"messages": [("user", asked.goal)]}, config)
    except GraphRecursionError:
        print(json.dumps({"status": "max_steps"}))
        return
    print(json.dumps({"status": "done", "report": str(ended["messages"][-1].content)}))


main()
