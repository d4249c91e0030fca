"""The `replan` command. Heavy libraries are imported by the command that needs them."""

import gc
import sys
from pathlib import Path
from typing import Annotated

import typer

from replan.cli.examples import (
    DIFF_EXAMPLES,
    EXPORT_EXAMPLES,
    FORK_EXAMPLES,
    HISTORY_EXAMPLES,
    IMPORT_EXAMPLES,
    PRUNE_EXAMPLES,
    REPLAY_EXAMPLES,
    RESEARCH_EXAMPLES,
    RESTORE_EXAMPLES,
    RESUME_EXAMPLES,
    RUN_EXAMPLES,
    SHOW_EXAMPLES,
    TOOL_EXAMPLES,
)
from replan.cli.memory import memory_app
from replan.cli.options import (
    CHECKPOINT,
    AsJson,
    Full,
    MaxCost,
    MaxSeconds,
    MaxSteps,
    MaxTokens,
    Model,
    ResumeRules,
    Rules,
    Sandbox,
    Sets,
    Strategy,
    ThreadArgument,
)
from replan.cli.research_command import research
from replan.cli.tool_commands import tool, tools

app = typer.Typer(
    name="replan",
    help="Give it a goal; it plans, executes, reflects and replans until the goal is reached.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(memory_app, name="memory")


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
    strategy: Strategy = None,
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

    given = overrides(
        model, roles, max_steps, max_seconds, max_tokens, max_cost, rules, sandbox, strategy
    )
    if workspace is not None:
        given["workspace"] = str(workspace.expanduser().absolute())
    raise typer.Exit(run_goal(goal, thread, given, as_json))


app.command(epilog=RESEARCH_EXAMPLES)(research)


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
    strategy: Strategy = None,
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

    given = overrides(
        model, roles, max_steps, max_seconds, max_tokens, max_cost, rules, sandbox, strategy
    )
    reply = Reply(approve, reject, edit, interrupt)
    raise typer.Exit(resume_thread(thread, given, as_json, reply))


@app.command(epilog=FORK_EXAMPLES)
def fork(
    thread: ThreadArgument,
    checkpoint: Annotated[
        str, typer.Argument(metavar="CHECKPOINT", help=f"Where to go on from. {CHECKPOINT}")
    ],
    goal: Annotated[str | None, typer.Option(metavar="TEXT", help="Another goal.")] = None,
    state: Annotated[
        list[str] | None,
        typer.Option(
            "--state", metavar="CHANNEL=VALUE", help="A new value, as JSON or text. Repeatable."
        ),
    ] = None,
    model: Model = None,
    strategy: Strategy = None,
    roles: Sets = None,
    max_steps: MaxSteps = None,
    max_seconds: MaxSeconds = None,
    max_tokens: MaxTokens = None,
    max_cost: MaxCost = None,
    sandbox: Sandbox = None,
    rules: Rules = None,
    as_json: AsJson = False,
) -> None:
    """Run a new branch of a thread for real, from one of its checkpoints.

    It works in a folder of its own, with the files as they were then; the branch it comes from and
    its files stay as they are. Settings of the run are kept; the ones given here replace them.
    """
    from replan.cli.fork import fork_thread
    from replan.cli.settle import overrides

    given = overrides(
        model, roles, max_steps, max_seconds, max_tokens, max_cost, rules, sandbox, strategy
    )
    raise typer.Exit(fork_thread(thread, checkpoint, given, state or [], goal, as_json))


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


@app.command(epilog=REPLAY_EXAMPLES)
def replay(
    thread: ThreadArgument,
    start: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="CHECKPOINT",
            help=f"{CHECKPOINT} Default: the latest goal's beginning.",
        ),
    ] = None,
    end: Annotated[
        str | None,
        typer.Option("--to", metavar="CHECKPOINT", help=f"{CHECKPOINT} Default: the latest."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Run a recorded run again with today's code: no model, no tool, no cost.

    Says at which step, if any, the code asks something else than was recorded. The thread and its
    files are left as they are.
    """
    from replan.cli.replay import replay_thread

    raise typer.Exit(replay_thread(thread, start or "", end or "", as_json))


@app.command(epilog=HISTORY_EXAMPLES)
def history(thread: ThreadArgument, as_json: AsJson = False) -> None:
    """List the checkpoints of a thread, with its branches: what each step did and used."""
    from replan.cli.history import show_history

    raise typer.Exit(show_history(thread, as_json))


@app.command(epilog=SHOW_EXAMPLES)
def show(
    thread: ThreadArgument,
    checkpoint: Annotated[str, typer.Argument(metavar="[CHECKPOINT]", help=CHECKPOINT)] = "head",
    full: Full = False,
    as_json: AsJson = False,
) -> None:
    """Show a checkpoint: its state, the calls and files of its step, and what comes next."""
    from replan.cli.show import show_checkpoint

    raise typer.Exit(show_checkpoint(thread, checkpoint, full, as_json))


@app.command(epilog=DIFF_EXAMPLES)
def diff(
    thread: ThreadArgument,
    before: Annotated[str, typer.Argument(metavar="A", help=CHECKPOINT)],
    after: Annotated[str, typer.Argument(metavar="B", help=CHECKPOINT)],
    full: Full = False,
    as_json: AsJson = False,
) -> None:
    """Show what differs between two checkpoints, of one branch or two: state, plan and files."""
    from replan.cli.diff import show_difference

    raise typer.Exit(show_difference(thread, before, after, full, as_json))


@app.command(epilog=EXPORT_EXAMPLES)
def export(
    thread: ThreadArgument,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file to write.")],
    force: Annotated[bool, typer.Option("--force", help="Replace a file that exists.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write a thread into one file: checkpoints, calls, and the files of its workspace.

    The file holds what the run has read, asked and written, but no key of yours.
    """
    from replan.cli.transfer import export_run

    raise typer.Exit(export_run(thread, file, force, as_json))


@app.command(name="import", epilog=IMPORT_EXAMPLES)
def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="From `replan export`.")],
    new_id: Annotated[
        str | None, typer.Option("--as", metavar="UUID", help="Another id for the thread.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Bring an exported thread in: all of it, or nothing.

    It works in a folder of its own here; `replan restore THREAD` brings its files there.
    """
    from replan.cli.transfer import import_run

    raise typer.Exit(import_run(file, new_id, as_json))


@app.command(epilog=PRUNE_EXAMPLES)
def prune(
    older_than: Annotated[
        str | None, typer.Option(metavar="AGE", help="Threads at rest for longer: 30d, 12h, 2w.")
    ] = None,
    threads: Annotated[
        list[str] | None, typer.Option("--thread", metavar="ID", help="This one. Repeatable.")
    ] = None,
    keep_latest: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help="Keep the threads, each with the last N checkpoints on the way to its head; "
            "older ones and other branches go.",
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
    as_json: AsJson = False,
) -> None:
    """Remove threads, or the older checkpoints of them, and what is not needed any more.

    With several options a thread has to fit all of them. A thread that runs is left alone. A
    folder that you gave a run is never touched; a thread's own goes with the thread. Long outputs
    and memories, which threads share, stay. Not while `langgraph dev` works on a run.
    """
    from replan.cli.prune import prune_threads

    raise typer.Exit(prune_threads(older_than, threads or [], keep_latest, dry_run, as_json))


@app.command()
def threads(
    limit: Annotated[int, typer.Option(min=1, help="How many, newest first.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List the threads in the database."""
    from replan.cli.threads import show_threads

    raise typer.Exit(show_threads(limit, as_json))


@app.command()
def strategies(as_json: AsJson = False) -> None:
    """List the strategies: what each is for, and which roles and limits it sets."""
    from replan.cli.strategies import show_strategies

    raise typer.Exit(show_strategies(as_json))


app.command()(tools)
app.command(epilog=TOOL_EXAMPLES)(tool)


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
