"""Citations: which address or document what was found comes from."""

import re
from collections.abc import Mapping, Sequence

from replan.state.task import Task

_MOST = 20
_CITED = re.compile(r" ?\[(\d{1,3}(?:\s*[,;]\s*\d{1,3})*)\](?!\()")


def numbered(tasks: Sequence[Task]) -> dict[str, int]:
    """The sources of what the tasks found, numbered from 1 in the order of their finding."""
    found = [source for task in tasks if task.status != "dropped" for source in task.sources]
    return {source: number for number, source in enumerate(list(dict.fromkeys(found))[:_MOST], 1)}


def sources_of(task: Task, numbers: Mapping[str, int]) -> str:
    """Where a task's result comes from, in one line: "From [1] a.md, line 3; [2] b.md, line 1";
    "" where nothing of it comes from outside.
    """
    known = [f"[{numbers[source]}] {source}" for source in task.sources if source in numbers]
    return f"From {'; '.join(known)}" if known else ""


def listed(numbers: Mapping[str, int]) -> list[str]:
    """The list of sources that stands below a report; nothing where there are none."""
    lines = [f"[{number}] {source}" for source, number in numbers.items()]
    return ["Sources:", *lines] if lines else []


def with_sources(text: str, numbers: Mapping[str, int]) -> str:
    """A report with the list of the sources that it cites; of all where it cites none.

    A number that no source has is taken out: it would stand for what nobody said.
    """
    if not numbers:
        return text
    known = set(numbers.values())
    used: set[int] = set()

    def held(found: re.Match[str]) -> str:
        cited = [int(one) for one in re.findall(r"\d+", found.group(1))]
        right = [one for one in cited if one in known]
        used.update(right)
        space = " " if found.group().startswith(" ") else ""
        return f"{space}[{', '.join(map(str, right))}]" if right else ""

    told = _CITED.sub(held, text)
    kept = {source: number for source, number in numbers.items() if number in (used or known)}
    return "\n".join([told, *listed(kept)])
