"""Which function to write anew where a test fails, and how the new one is put into its file.

A small model that is asked for wrong lines names the wrong ones, and that is to give a whole file
again gives the same file again. Given one failing test and asked for the one function that it is
about, it does what it has learnt from thousands of functions with examples.
"""

import ast
import re
import textwrap
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from replan.nodes.select_tool.imports import with_imports, with_lines_on_top
from replan.state.task import Task
from replan.tools.formats import FILTERS

ASK = (
    "Write {name} in {path} anew so that {test} passes. Give this one function, complete, in one "
    "fenced block and nothing else."
)
_WROTE = "wrote anew: "
_BLOCK = re.compile(r"^FAILED (\S+)\n(.*?)(?=^FAILED |\Z)", re.MULTILINE | re.DOTALL)
_FRAME = re.compile(r"^([\w./-]+\.py):\d+: in (\w+)$", re.MULTILINE)
_CALLED = re.compile(r"([A-Za-z_]\w*)\s*\(")
_Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Suspect:
    """A function that may be what makes a test fail.

    Attributes:
        path: the file that it is in.
        name: of the function; of a method `Class.method`.
        test: the id of the failing test, such as `test_a.py::test_b`.
    """

    path: str
    name: str
    test: str

    @property
    def thought(self) -> str:
        """How an attempt at it is known again."""
        return f"{_WROTE}{self.name} in {self.path}"


def suspect(task: Task, sources: Mapping[str, str], tests: Mapping[str, str]) -> Suspect | None:
    """The function to be written anew next; None where nobody can tell.

    Of the first test that fails, the innermost function of ours that the error came through; else
    those that its failing line calls, that the rest of the test calls, and that these call in turn,
    the one that was tried least.

    Args:
        task: with what its tests found.
        sources: the code that may be changed, by path.
        tests: the text of test files, by path.
    """
    known = {path: dict(_functions(text)) for path, text in sources.items()}
    tried = [one.action.thought for one in task.attempts]
    for result in task.failing:
        if result.check.kind != "tests_pass":
            continue
        for test, said in _BLOCK.findall(result.detail):
            found = list(dict.fromkeys(_suspects(test, said, known, tests)))
            if found:
                return min(found, key=lambda one: tried.count(one.thought))
    return None


def rewritten(source: str, name: str, answer: str) -> str:
    """The source with that function as the answer has it; "" where the answer lacks it, or holds
    what cannot be read. Functions that are new in the answer go before it.

    Args:
        source: of the file.
        name: as `Suspect` names it.
        answer: code that holds the function, in its class or not.
    """
    old, new = _found(source, name), _found(answer, name)
    if old is None or new is None:
        return ""
    known = {*dict(_functions(source)), name.rpartition(".")[2]}
    lines = source.splitlines()
    first, last = _span(old)
    if not getattr(new, "decorator_list", []):  # then the old one's stay
        first = old.lineno - 1
    text = textwrap.indent(_text(answer, new), " " * old.col_offset)
    added = [
        _text(answer, one)
        for one in _body(answer)
        if isinstance(one, _Function) and one.name not in known
    ]
    at = _span(_holder(source, name) if "." in name else old)[0]
    before = [*lines[:at], *(f"{one}\n\n" for one in added), *lines[at:first]]
    whole = "\n".join([*before, text, *lines[last:]]) + "\n"
    return with_imports(_with_imports_of(whole, answer))


def _suspects(
    test: str,
    said: str,
    known: Mapping[str, Mapping[str, ast.stmt]],
    tests: Mapping[str, str],
) -> Iterator[Suspect]:
    frames = _FRAME.findall(said)
    for path, name in reversed(frames):
        for full in known.get(path, ()):
            if full.rpartition(".")[2] == name:
                yield Suspect(path, full, test)
    path, _, function = test.partition("::")
    line = next((row for row in said.splitlines() if row.startswith(("    ", ">"))), "")
    body = _found(tests.get(path, ""), function.rpartition("::")[2].partition("[")[0])
    rest = ast.unparse(body.body) if body is not None else ""  # type: ignore[arg-type]
    for name in [*_CALLED.findall(line), *reversed(_CALLED.findall(rest))]:
        for path, functions in known.items():
            for full in (name, f"{name}.__init__"):
                if full in functions:
                    yield Suspect(path, full, test)
                    yield from _called_by(functions[full], path, test, known)
            for full in functions:
                if full.endswith(f".{name}"):
                    yield Suspect(path, full, test)


def _called_by(
    function: ast.stmt, path: str, test: str, known: Mapping[str, Mapping[str, ast.stmt]]
) -> Iterator[Suspect]:
    names = _CALLED.findall(ast.unparse(function))[1:]
    for name in dict.fromkeys(names):
        for other, functions in known.items():
            if name in functions:
                yield Suspect(other, name, test)


def _body(code: str) -> Sequence[ast.stmt]:
    try:
        with FILTERS, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(code).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []


def _functions(code: str) -> Iterator[tuple[str, ast.stmt]]:
    """The functions of a module, and the methods of its classes, by name."""
    for node in _body(code):
        if isinstance(node, _Function):
            yield node.name, node
        elif isinstance(node, ast.ClassDef):
            for inner in node.body:
                if isinstance(inner, _Function):
                    yield f"{node.name}.{inner.name}", inner


def _found(code: str, name: str) -> ast.stmt | None:
    """The function of that name; a method also where it stands without its class."""
    functions = dict(_functions(code))
    return functions.get(name) or functions.get(name.rpartition(".")[2])


def _holder(code: str, name: str) -> ast.stmt:
    owner = name.partition(".")[0]
    return next(one for one in _body(code) if isinstance(one, ast.ClassDef) and one.name == owner)


def _span(node: ast.stmt) -> tuple[int, int]:
    """From which line to which it goes, its decorators included."""
    above = [one.lineno for one in getattr(node, "decorator_list", [])]
    return min([node.lineno, *above]) - 1, node.end_lineno or node.lineno


def _text(code: str, node: ast.stmt) -> str:
    first, last = _span(node)
    return textwrap.dedent("\n".join(code.splitlines()[first:last]))


def _with_imports_of(code: str, answer: str) -> str:
    """The code with the imports of the answer that it lacks."""
    there = {ast.unparse(one) for one in _body(code)}
    imports = [
        ast.unparse(one)
        for one in _body(answer)
        if isinstance(one, ast.Import | ast.ImportFrom) and ast.unparse(one) not in there
    ]
    own = dict(_functions(code))
    used = [
        one
        for one in imports
        if any(re.search(rf"(?<!\w){re.escape(name)}(?!\w)", code) for name in _names(one))
        and not own.keys() & set(_names(one))
    ]
    return with_lines_on_top(code, used) if used and _body(code) else code


def _names(line: str) -> list[str]:
    """The names that an import gives."""
    node = ast.parse(line).body[0]
    assert isinstance(node, ast.Import | ast.ImportFrom)
    return [(one.asname or one.name).partition(".")[0] for one in node.names]
