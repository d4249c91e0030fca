"""`replan memory`: the commands, whose work the modules beside this one do."""

from typing import Annotated

import typer

from replan.cli.memory_examples import (
    ADD_EXAMPLES,
    EXPORT_EXAMPLES,
    FORGET_EXAMPLES,
    IMPORT_EXAMPLES,
    LIST_EXAMPLES,
    SEARCH_EXAMPLES,
    SHOW_EXAMPLES,
    STATS_EXAMPLES,
)

memory_app = typer.Typer(
    help="Look at, add to, move and remove what runs have learned.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

_KINDS = "fact|experience|skill"
User = Annotated[
    str,
    typer.Option(
        "--user", metavar="NAME", help="Whose memories; else REPLAN_MEMORY_USER, or default."
    ),
]
Project = Annotated[
    str,
    typer.Option(
        "--project",
        metavar="NAME",
        help="Of which project; else REPLAN_MEMORY_PROJECT, or default.",
    ),
]
Kinds = Annotated[
    list[str] | None,
    typer.Option("--kind", metavar=_KINDS, help="Only of this kind. Repeatable."),
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")]
_ID = "A memory's id, or the first 4 or more characters of it where they are unambiguous."


@memory_app.command("list", epilog=LIST_EXAMPLES)
def list_(
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many, newest first.")] = 20,
    everything: Annotated[
        bool, typer.Option("--all", help="Those too that are not true any more, marked.")
    ] = False,
    kinds: Kinds = None,
    user: User = "",
    project: Project = "",
    as_json: AsJson = False,
) -> None:
    """List memories, the newest first."""
    from replan.cli.memory_reading import list_memories

    raise typer.Exit(list_memories((user, project), kinds or (), limit, everything, as_json))


@memory_app.command(epilog=SEARCH_EXAMPLES)
def search(
    text: Annotated[str, typer.Argument(metavar="TEXT", help="A question, in any words.")],
    limit: Annotated[int, typer.Option(min=1, max=100, help="How many, the best first.")] = 10,
    kinds: Kinds = None,
    user: User = "",
    project: Project = "",
    as_json: AsJson = False,
) -> None:
    """Search memories as a run does.

    By meaning, by words, by recency and importance; without an embedding model by words alone.
    Memories that have no vector yet get one first; Ctrl-C leaves the rest for the next time.
    """
    from replan.cli.memory_reading import search_memories

    raise typer.Exit(search_memories((user, project), text, kinds or (), limit, as_json))


@memory_app.command(epilog=SHOW_EXAMPLES)
def show(
    memory: Annotated[str, typer.Argument(metavar="ID", help=_ID)],
    user: User = "",
    project: Project = "",
    as_json: AsJson = False,
) -> None:
    """Show a memory whole.

    What it says, where it comes from, how it ended, and what took its place.
    """
    from replan.cli.memory_reading import show_memory

    raise typer.Exit(show_memory((user, project), memory, as_json))


@memory_app.command(epilog=ADD_EXAMPLES)
def add(
    text: Annotated[
        str, typer.Argument(metavar="TEXT", help="What it says; - reads standard input.")
    ],
    kind: Annotated[str, typer.Option(metavar=_KINDS, help="What kind of memory it is.")] = "fact",
    importance: Annotated[
        float, typer.Option(min=0, max=1, help="Of those that fit alike the higher comes first.")
    ] = 0.5,
    supersedes: Annotated[
        list[str] | None,
        typer.Option(
            "--supersedes", metavar="ID", help="A memory that it takes the place of. Repeatable."
        ),
    ] = None,
    user: User = "",
    project: Project = "",
    as_json: AsJson = False,
) -> None:
    """Add a memory of your own. What says the same as a known one is counted there."""
    from replan.cli.memory_writing import Told, add_memory

    told = Told(text, kind, importance, tuple(supersedes or ()))
    raise typer.Exit(add_memory((user, project), told, as_json))


@memory_app.command(epilog=FORGET_EXAMPLES)
def forget(
    memories: Annotated[list[str] | None, typer.Argument(metavar="ID...", help=_ID)] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="All memories of the user in the project.")
    ] = False,
    kinds: Kinds = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    user: User = "",
    project: Project = "",
    as_json: AsJson = False,
) -> None:
    """Remove memories for good. Asks first; where nobody can be asked it takes --yes."""
    from replan.cli.memory_writing import Unwanted, forget_memories

    unwanted = Unwanted(tuple(memories or ()), everything, tuple(kinds or ()))
    raise typer.Exit(forget_memories((user, project), unwanted, yes, as_json))


@memory_app.command(epilog=EXPORT_EXAMPLES)
def export(
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="The file to write; - is standard output.")
    ],
    kinds: Kinds = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that exists.")] = False,
    user: User = "",
    project: Project = "",
    as_json: AsJson = False,
) -> None:
    """Write memories to a file, as lines of JSON.

    Those too that are not true any more. Vectors are left out: they are made anew elsewhere.
    """
    from replan.cli.memory_transfer import export_memories

    raise typer.Exit(export_memories((user, project), file, kinds or (), force, as_json))


@memory_app.command(name="import", epilog=IMPORT_EXAMPLES)
def import_(
    file: Annotated[
        str,
        typer.Argument(metavar="FILE", help="From `replan memory export`; - is standard input."),
    ],
    user: User = "",
    project: Project = "",
    as_json: AsJson = False,
) -> None:
    """Bring exported memories in: all, or nothing.

    Known ones are not doubled. Times, dates, outcomes and what superseded what are kept.
    """
    from replan.cli.memory_transfer import import_memories

    raise typer.Exit(import_memories((user, project), file, as_json))


@memory_app.command(epilog=STATS_EXAMPLES)
def stats(as_json: AsJson = False) -> None:
    """Count memories, and say how far their index is.

    It is whole, being made anew for another model, or some memories wait for their vectors, which
    the next search or run makes.
    """
    from replan.cli.memory_reading import show_stats

    raise typer.Exit(show_stats(as_json))
