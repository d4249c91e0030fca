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
  replan run "..." --approve allow:web_search --approve "deny:write_file(*.md)"
  replan run - < goal.txt

\b
Exit codes: 0 done; 1 not done; 2 bad input or configuration; 3 waiting for a person;
130 interrupted, and resumable.
"""

RESTORE_EXAMPLES = """\b
Examples:
  replan restore 5f0c2a4e-6c1d-4d5e-9a53-0c9d3a1f7b60
  replan restore 5f0c2a4e-6c1d-4d5e-9a53-0c9d3a1f7b60 --checkpoint 1f0a... --workspace ../as-it-was
  replan restore 5f0c2a4e-6c1d-4d5e-9a53-0c9d3a1f7b60 --force --json

\b
Exit codes: 0 restored; 1 not all of it could be written; 2 bad input, or files were changed
meanwhile and nobody is there to be asked.
"""

Model = Annotated[str | None, typer.Option(help="auto, embedded, or a model name of the server.")]
Sets = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="NAME=VALUE",
        help="Who plays a role (plan=dag), or any other setting of a run (max_memory_mb=512, "
        "documents=DIR). Repeatable.",
    ),
]
MaxSteps = Annotated[int | None, typer.Option(min=1, help="Tool calls the run may make.")]
MaxSeconds = Annotated[int | None, typer.Option(min=1, help="Seconds the run may take.")]
MaxTokens = Annotated[int | None, typer.Option(min=0, help="Tokens it may use; 0: no limit.")]
MaxCost = Annotated[float | None, typer.Option(min=0, help="US dollars it may cost.")]
_RULE_HELP = "Approval rule: allow:TOOL, ask:TOOL(PATTERN) or deny:TOOL(PATTERN). Repeatable."
Sandbox = Annotated[str | None, typer.Option(help="Sandbox for Python; default: auto.")]
Rules = Annotated[
    list[str] | None, typer.Option("--approve", "--rule", metavar="RULE", help=_RULE_HELP)
]
# `resume --approve` is an answer.
ResumeRules = Annotated[list[str] | None, typer.Option("--rule", metavar="RULE", help=_RULE_HELP)]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")]
ThreadArgument = Annotated[str, typer.Argument(metavar="THREAD", help="The thread's id.")]


RESUME_EXAMPLES = """\b
Examples:
  replan resume THREAD --max-steps 40
  replan resume THREAD --approve
  replan resume THREAD --reject "use the file prices.csv instead"
  replan resume THREAD --edit '{"query": "price of copper"}' --interrupt ID
"""

TOOL_EXAMPLES = """\b
Examples:
  replan tool read_file '{"path": "a.md"}' --workspace .
  replan tool python '{"code": "print(1 + 1)"}'
  replan tool web_search '{"query": "copper"}' --approve allow:web_search

\b
Exit codes: 0 the call succeeded; 1 it did not; 2 bad input or configuration.
"""


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
    sandbox: Sandbox = None,
    rules: Rules = None,
    as_json: AsJson = False,
) -> None:
    """Work on a goal until it is reached."""
    from replan.cli.run import run_goal
    from replan.cli.settle import overrides

    given = overrides(model, roles, max_steps, max_seconds, max_tokens, max_cost, rules, sandbox)
    if workspace is not None:
        given["workspace"] = str(workspace.expanduser().absolute())
    raise typer.Exit(run_goal(goal, thread, given, as_json))


@app.command(epilog=RESUME_EXAMPLES)
def resume(
    thread: ThreadArgument,
    approve: Annotated[bool, typer.Option("--approve", help="Make the call that waits.")] = False,
    reject: Annotated[
        str | None, typer.Option(metavar="REASON", help="Do not; the agent is told why.")
    ] = None,
    edit: Annotated[
        str | None, typer.Option(metavar="JSON", help="Make it with these arguments.")
    ] = None,
    interrupt: Annotated[
        str | None, typer.Option(metavar="ID", help="Which call, where several wait.")
    ] = None,
    model: Model = None,
    roles: Sets = None,
    max_steps: MaxSteps = None,
    max_seconds: MaxSeconds = None,
    max_tokens: MaxTokens = None,
    max_cost: MaxCost = None,
    sandbox: Sandbox = None,
    rules: ResumeRules = None,
    as_json: AsJson = False,
) -> None:
    """Go on with a thread that was interrupted, waits, was stopped by a limit, or failed.

    Settings of the run are kept; the ones given here replace them.
    """
    from replan.cli.run import Reply, resume_thread
    from replan.cli.settle import overrides

    given = overrides(model, roles, max_steps, max_seconds, max_tokens, max_cost, rules, sandbox)
    reply = Reply(approve, reject, edit, interrupt)
    raise typer.Exit(resume_thread(thread, given, as_json, reply))


@app.command(epilog=RESTORE_EXAMPLES)
def restore(
    thread: ThreadArgument,
    checkpoint: Annotated[
        str | None, typer.Option(metavar="ID", help="Id of a checkpoint; default: the latest.")
    ] = None,
    revision: Annotated[
        str | None, typer.Option(metavar="N", help="A revision instead of a checkpoint's.")
    ] = None,
    workspace: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder; default: the thread's own.")
    ] = None,
    force: Annotated[
        bool,
        typer.Option("--force", help="Overwrite and remove changed files; they are kept first."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Bring the workspace's files back as they were at a checkpoint.

    Asks before it overwrites or removes files that were changed since the agent's last step.
    Ignored files are left alone.
    """
    from replan.cli.restore import Wanted, restore_thread

    wanted = Wanted(thread, checkpoint or "", revision or "")
    raise typer.Exit(restore_thread(wanted, workspace, force, as_json))


@app.command()
def threads(
    limit: Annotated[int, typer.Option(min=1, help="How many, newest first.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List the threads in the database."""
    from replan.cli.threads import show_threads

    raise typer.Exit(show_threads(limit, as_json))


@app.command()
def tools(
    rules: Rules = None,
    as_json: AsJson = False,
) -> None:
    """List the tools, those of MCP servers too: arguments, policy, and what is not available."""
    from replan.cli.tools import show_tools

    raise typer.Exit(show_tools(rules or [], as_json))


@app.command(epilog=TOOL_EXAMPLES)
def tool(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The tool.")],
    arguments: Annotated[
        str, typer.Argument(metavar="JSON", help="Its arguments, as one JSON object; - reads it.")
    ] = "{}",
    workspace: Annotated[
        Path, typer.Option(help="Folder to work in; default: the current one.")
    ] = Path(),
    sandbox: Sandbox = None,
    rules: Rules = None,
    seconds: Annotated[float, typer.Option(min=1, help="Time it may take.")] = 60.0,
) -> None:
    """Make one tool call by hand, and print what the agent would observe, as JSON."""
    from replan.cli.tools import call_tool

    given = {"sandbox": sandbox, "approvals": rules or None}
    given = {field: value for field, value in given.items() if value is not None}
    raise typer.Exit(call_tool(name, arguments, workspace, given, seconds))


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
