"""The options of `replan research`."""

from pathlib import Path
from typing import Annotated

import typer

from replan.cli.options import (
    AsJson,
    MaxCost,
    MaxSeconds,
    MaxSteps,
    MaxTokens,
    Model,
    Rules,
    Sets,
)


def research(
    goal: Annotated[
        str, typer.Argument(metavar="GOAL", help="What the report is about; - reads it.")
    ],
    documents: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder of your documents; default: REPLAN_DOCUMENTS."),
    ] = None,
    workspace: Annotated[
        Path | None, typer.Option(help="Folder for the report; default: one of the thread's own.")
    ] = None,
    thread: Annotated[str | None, typer.Option(help="Id of the thread; default: new.")] = None,
    model: Model = None,
    roles: Sets = None,
    max_steps: MaxSteps = None,
    max_seconds: MaxSeconds = None,
    max_tokens: MaxTokens = None,
    max_cost: MaxCost = None,
    rules: Rules = None,
    as_json: AsJson = False,
) -> None:
    """Write a report from your documents and the web, each statement with its source.

    An agent for each section searches; what it finds is stated, and every statement is held
    against the passage that it rests on. What its source does not hold is left out.
    """
    from replan.cli.research import research_goal
    from replan.cli.settle import overrides

    given = overrides(model, roles, max_steps, max_seconds, max_tokens, max_cost, rules)
    if workspace is not None:
        given["workspace"] = str(workspace.expanduser().absolute())
    raise typer.Exit(research_goal(goal, thread, given, as_json, documents))
