"""The `replan` command. Heavy libraries are imported by the command that needs them."""

import gc
import sys
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    name="replan",
    help="Give it a goal; it plans, executes, reflects and replans until the goal is reached.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

RUN_EXAMPLES = """\b
Examples:
  replan run "Sum the amounts in sales.csv per region into report.md" --workspace .
  replan run "Write prime.py and tests for it" --max-steps 20 --json
  replan run "..." --model gpt-5-mini --set plan=dag --set report=template
  replan run - < goal.txt

\b
Exit codes: 0 done; 1 not done; 2 bad input or configuration; 3 waiting for a person;
130 interrupted, and resumable.
"""

Model = Annotated[str | None, typer.Option(help="auto, embedded, or a model name of the server.")]
Sets = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="ROLE=IMPLEMENTATION", help="Who plays a role. Repeatable."),
]
MaxSteps = Annotated[int | None, typer.Option(min=1, help="Tool calls the run may make.")]
MaxSeconds = Annotated[int | None, typer.Option(min=1, help="Seconds the run may take.")]
MaxTokens = Annotated[int | None, typer.Option(min=0, help="Tokens it may use; 0: no limit.")]
MaxCost = Annotated[float | None, typer.Option(min=0, help="US dollars it may cost.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")]
ThreadArgument = Annotated[str, typer.Argument(metavar="THREAD", help="The thread's id.")]


@app.command(epilog=RUN_EXAMPLES)
def run(
    goal: Annotated[
        str, typer.Argument(metavar="GOAL", help="What is to be reached, in words; - reads it.")
    ],
    workspace: Annotated[
        Path | None, typer.Option(help="Folder to work in; default: one of the thread's own.")
    ] = None,
    thread: Annotated[str | None, typer.Option(help="Id of the thread; default: new.")] = None,
    model: Model = None,
    roles: Sets = None,
    max_steps: MaxSteps = None,
    max_seconds: MaxSeconds = None,
    max_tokens: MaxTokens = None,
    max_cost: MaxCost = None,
    as_json: AsJson = False,
) -> None:
    """Work on a goal until it is reached."""
    from replan.cli.run import run_goal
    from replan.cli.settle import overrides

    given = overrides(model, roles, max_steps, max_seconds, max_tokens, max_cost)
    if workspace is not None:
        given["workspace"] = str(workspace.expanduser().absolute())
    raise typer.Exit(run_goal(goal, thread, given, as_json))


@app.command()
def resume(
    thread: ThreadArgument,
    model: Model = None,
    roles: Sets = None,
    max_steps: MaxSteps = None,
    max_seconds: MaxSeconds = None,
    max_tokens: MaxTokens = None,
    max_cost: MaxCost = None,
    as_json: AsJson = False,
) -> None:
    """Go on with a thread that was interrupted, stopped by a limit, or failed.

    Settings of the run are kept; the ones given here replace them.
    """
    from replan.cli.run import resume_thread
    from replan.cli.settle import overrides

    given = overrides(model, roles, max_steps, max_seconds, max_tokens, max_cost)
    raise typer.Exit(resume_thread(thread, given, as_json))


@app.command()
def threads(
    limit: Annotated[int, typer.Option(min=1, help="How many, newest first.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List the threads in the database."""
    from replan.cli.threads import show_threads

    raise typer.Exit(show_threads(limit, as_json))


@app.command()
def graph(
    mermaid: Annotated[bool, typer.Option("--mermaid", help="As Mermaid text (default).")] = False,
    png: Annotated[Path | None, typer.Option(help="Write a picture to this file.")] = None,
) -> None:
    """Draw the graph."""
    from replan.cli.graph import draw

    raise typer.Exit(draw(png))


@app.command()
def doctor(as_json: AsJson = False) -> None:
    """Say what is installed, which model and database would be used, and what is missing."""
    from replan.cli.doctor import examine

    raise typer.Exit(examine(as_json))


def main() -> None:
    """Entry point."""
    # What imports make lives on to the end: looking for garbage in it is a fifth of the start.
    # A run switches the collector on again, when all is imported.
    gc.disable()
    # Two threads import side by side: every switch between them costs more than it gains.
    sys.setswitchinterval(0.1)
    app()


if __name__ == "__main__":
    main()
