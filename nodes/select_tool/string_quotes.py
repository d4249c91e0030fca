"""Puts right two slips in string literals of code that has a fault of syntax for them.

A small model writes `f'{','.join(names)}'`, which only newer versions of Python can read; and the
line break that it means as an escape in a literal comes out of its JSON as one.
"""

import re

from replan.nodes.select_tool.parsing import parsed

_OPENS = re.compile(r"\b(?:[fF][rR]?|[rR][fF])(['\"])(?!\1\1)")
# Inside braces no older version can read an escape.
_ESCAPE = re.compile(r"(?<=\{)(['\"])\\([nt])\1(?=\.join\()")
_OTHER = {"'": '"', '"': "'"}


def with_own_quotes(code: str) -> str:
    """The code with quotes of the other kind inside the braces of its f-strings, where it cannot be
    read as it is and can be so.

    Args:
        code: what may be Python.
    """
    if parsed(code) is not None:
        return code
    better = _ESCAPE.sub(_as_number, "\n".join(map(_requoted, code.split("\n"))))
    return better if parsed(better) is not None else code


def _as_number(found: re.Match[str]) -> str:
    return "chr(10)" if found[2] == "n" else "chr(9)"


def _requoted(line: str) -> str:
    """The line with the quotes inside braces of its f-strings changed."""
    done = ""
    while opening := _OPENS.search(line):
        quote = opening[1]
        done, line = done + line[: opening.end()], line[opening.end() :]
        depth = at = 0
        while at < len(line) and (depth or line[at] != quote):
            mark = line[at]
            if not depth and (line[at : at + 2] in ("{{", "}}") or mark == "\\"):
                done, at = done + line[at : at + 2], at + 2
                continue
            depth += (mark == "{") - (mark == "}")
            done, at = done + (_OTHER[quote] if mark == quote else mark), at + 1
        line = line[at:]
        if line:
            done, line = done + line[0], line[1:]
    return done + line


def with_escaped_breaks(before: str, line: str, new: str) -> str:
    """What is to stand in the place of a line, with the line breaks in its literals as escapes,
    where the code can be read so and not as it is.

    Args:
        before: the code with the old line.
        line: the old line.
        new: what is to stand there.
    """
    escaped = new.replace("\n", "\\n")
    if "\n" not in new or "#" in new or parsed(before.replace(line, new)) is not None:
        return new
    readable = parsed(with_own_quotes(before.replace(line, escaped))) is not None
    return escaped if readable else new
