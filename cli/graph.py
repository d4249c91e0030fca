"""`replan graph`: the drawn graph."""

from pathlib import Path

from replan.cli.settle import at_the_edge
from replan.state.errors import UsageError


def draw(png: Path | None) -> int:
    """Print the graph as Mermaid text, or write it as a picture. Returns the exit code."""

    def command() -> int:
        from replan.graphs.build import build_agent

        drawable = build_agent().get_graph()
        if png is None:
            print(drawable.draw_mermaid())
            return 0
        try:
            picture = drawable.draw_png(None)
        except ImportError as error:
            raise UsageError(
                "drawing a PNG needs Graphviz.",
                "Install it and pygraphviz, or take the text of `replan graph --mermaid`.",
            ) from error
        if picture is None:
            raise UsageError("Graphviz drew nothing.", "Take `replan graph --mermaid`.")
        try:
            png.write_bytes(picture)
        except OSError as error:
            raise UsageError(f"{png} cannot be written: {error.strerror}.") from error
        return 0

    return at_the_edge(command)
