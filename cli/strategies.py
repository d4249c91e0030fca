"""`replan strategies`: the ways of working that a run can be given by name."""

from replan.cli.printable import json_line, visible
from replan.cli.settle import at_the_edge

_SET = "    sets: "


def show_strategies(as_json: bool) -> int:
    """Print every strategy, what it is for and what it sets. Returns the exit code."""

    def command() -> int:
        from replan.graphs.strategies import strategies

        known = list(strategies().values())
        if as_json:
            print(json_line([one.model_dump() for one in known]))
            return 0
        for one in known:
            print(visible(f"{one.name}{' (own)' if one.own else ''}: {one.about}"))
            told = ", ".join(f"{name}={value}" for name, value in one.fields.items())
            print(visible(f"{_SET}{told or 'nothing'}"))
        return 0

    return at_the_edge(command)
