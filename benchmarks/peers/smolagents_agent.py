"""smolagents' CodeAgent on one goal, in the current folder, with its default prompts."""

import json
import os

from peer_tools import arguments, tools_for
from smolagents import CodeAgent, OpenAIServerModel, tool


def main() -> None:
    """Work on the goal; print how it ended."""
    asked = arguments()
    model = OpenAIServerModel(
        os.environ["OPENAI_MODEL"],
        api_base=os.environ["OPENAI_BASE_URL"],
        api_key=os.environ["OPENAI_API_KEY"],
        temperature=0.0,
    )
    agent = CodeAgent(
        tools=[tool(one) for one in tools_for(asked.documents)],
        model=model,
        max_steps=asked.steps,
        additional_authorized_imports=["*"],
        executor_kwargs={"additional_functions": {"open": open}},
        verbosity_level=0,
    )
    ended = agent.run(asked.goal, return_full_result=True)
    print(json.dumps({"status": str(ended.state), "report": str(ended.output)}))


main()
