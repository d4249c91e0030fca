"""Is a file well-formed? Answers in words that help to mend it."""

import ast
import csv
import io
import json
import threading
import warnings

from replan.tools.bounds import clipped

FILTERS = threading.Lock()


def fault(path: str, data: bytes) -> str:
    """What is wrong with a file's content, judged by its extension; "" when nothing is.

    Args:
        path: the file's name, for its extension and for messages.
        data: the whole content.
    """
    if not data.strip():
        return "it is empty"
    extension = path.rsplit(".", 1)[-1].lower() if "." in path else ""
    if extension == "txt":
        mark = hanging(data.decode("utf-8-sig", "replace"))
        return f"it ends with {mark!r}, behind which nothing follows" if mark else ""
    judge = {"json": _json, "csv": _csv, "py": _python}.get(extension)
    if judge is None:
        return ""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return f"it is not UTF-8 text (byte {error.start})"
    return judge(text)


def hanging(text: str) -> str:
    """The mark that joins the parts of a one-line text, where it also stands behind the last of
    them, as a loop leaves it; else "".
    """
    line = text.strip("\n").rstrip()
    mark = line[-1:]
    # A comma or semicolon may well end a line.
    if "\n" in line or mark != "-":
        return ""
    parts = line[:-1].split(mark)
    return mark if len(parts) > 1 and all(map(str.strip, parts)) else ""


def syntax_fault(code: str, name: str) -> str:
    """The syntax error of Python code, with the line it is in; "" when it compiles."""
    try:
        # Warnings such as an invalid escape are no fault, and must not reach the terminal.
        with FILTERS, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(code, name)
            compile(code, name, "exec", dont_inherit=True)
    except SyntaxError as error:
        return f"{type(error).__name__}: {error.msg} ({_place(error, code, name)})"
    except (ValueError, RecursionError, MemoryError, OverflowError) as error:
        return f"SyntaxError: {error} ({name})"
    return ""


def _place(error: SyntaxError, code: str, name: str) -> str:
    if not error.lineno:
        return name
    # The compiler itself, unlike the parser, looks for the line in a file of that name.
    line = error.text or "".join(code.splitlines()[error.lineno - 1 : error.lineno])
    return f"{name} line {error.lineno}: {clipped(line.strip())}"


def first_lines(text: str, count: int = 2) -> str:
    """The beginning of a text on one line, for messages."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return " / ".join(clipped(line, 160) for line in lines[:count])


def header(text: str) -> list[str]:
    """The first row of a CSV text, its names stripped. Raises csv.Error."""
    rows = csv.reader(io.StringIO(text, newline=""))
    return [name.strip() for name in next((row for row in rows if row), [])]


def _json(text: str) -> str:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        return f"it is not valid JSON: {error}; it begins: {first_lines(text)}"
    if value is None or value == {} or value == [] or value == "":
        return f"it holds nothing but {text.strip()}"
    return ""


def _csv(text: str) -> str:
    try:
        rows = csv.reader(io.StringIO(text, newline=""))
        names = next((row for row in rows if row), [])
        count = 0
        for row in rows:
            if not row:
                continue
            count += 1
            if len(row) != len(names):
                return (
                    f"line {rows.line_num} has {len(row)} columns, the header {len(names)}: "
                    f"{clipped(','.join(row), 160)}; the header is: {clipped(','.join(names), 160)}"
                )
    except csv.Error as error:
        return f"it is not valid CSV: {error}; it begins: {first_lines(text)}"
    if not count:
        return f"it has no row below its first line: {first_lines(text, 1)}"
    return ""


def _python(text: str) -> str:
    return syntax_fault(text, "the file")
