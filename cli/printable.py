"""Text of a model, a tool or a file, made fit for a terminal."""

import os
import sys


def put(text: str) -> None:
    """Print to standard output. Whoever reads it may have read enough, as `head` has."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        # Else the interpreter, when it ends, would try again and complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def visible(text: str) -> str:
    """The text with all that is not printable, but for line ends and tabs, written as escapes:
    a control sequence could hide what a person is asked about, or write over what was said.
    """
    return "".join(
        char if char.isprintable() or char in "\n\t" else char.encode("unicode_escape").decode()
        for char in text
    )
