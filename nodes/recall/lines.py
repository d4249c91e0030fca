"""Memories as the lines that a prompt shows."""

from collections.abc import Collection, Sequence

from replan.nodes.named_files import named_files
from replan.state.memory import Memory
from replan.tools.bounds import clipped

_LINE_CHARS = 400


def line_of(memory: Memory) -> str:
    """One line: what it says, how it ended, and since when it is known."""
    text = clipped(" ".join(memory.text.split()), _LINE_CHARS)
    since = f" (known since {memory.learned:%Y-%m-%d})" if memory.learned else ""
    return f"{text}{since}" if memory.kind == "fact" else text


def teaches(memory: Memory, files: Collection[str]) -> bool:
    """Whether it says more than that something went well, and not of other files than these.

    What was found out about a file that is not here ("its first line has to be ...") a small
    model takes for what is asked of it now. What a person told is shown as it is.
    """
    tried, lesson = memory.detail.get("tried"), memory.detail.get("lesson")
    told = tried if memory.kind == "experience" and isinstance(tried, list) else [memory.text]
    named = set(named_files("\n".join(map(str, told))))
    if memory.kind == "fact":
        return bool(memory.source.told_by) or not named or bool(named & set(files))
    return named <= set(files) and (memory.outcome != "done" or bool(tried or lesson))


def tokens_of(text: str) -> int:
    """About how many tokens a text takes: four ASCII characters to one, or one other."""
    ascii_only = sum(character.isascii() for character in text)
    return -(-ascii_only // 4) + len(text) - ascii_only


def within(memories: Sequence[Memory], tokens: int) -> list[Memory]:
    """The first memories whose lines together take no more than the tokens."""
    taken = []
    for memory in memories:
        tokens -= tokens_of(line_of(memory))
        if tokens < 0:
            break
        taken.append(memory)
    return taken
