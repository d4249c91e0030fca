"""Text of a model, a tool or a file, made fit for a terminal."""

import json
import os
import re
import sys
from typing import Any


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


def json_line(value: Any) -> str:
    """A value as JSON on one line, for standard output.

    At a terminal all that is not printable is escaped, as JSON allows: the text is the same to a
    program, and cannot steer the terminal.
    """
    line = json.dumps(value, ensure_ascii=False, default=str)
    if not sys.stdout.isatty():
        return line
    return "".join(char if char.isprintable() else _escaped(char) for char in line)


def _escaped(char: str) -> str:
    # JSON knows escapes of four digits only: beyond them a character is a pair. DEL is ASCII.
    units = char.encode("utf-16-be", "surrogatepass").hex()
    return re.sub("....", r"\\u\g<0>", units)
