"""Which scripts are nothing but one call of a tool."""

from typing import Any

import pytest

from replan.nodes.select_tool.single_call import single_call
from replan.tools.toolbox import default_tools

LONG = "write_file(path='a.md', text='''# A\n\ntext''')"


@pytest.mark.parametrize(
    ("code", "tool", "args"),
    [
        ("read_file('a.txt')", "read_file", {"path": "a.txt"}),
        ("print(read_file(path='a.txt', start=2))", "read_file", {"path": "a.txt", "start": 2}),
        ("# why\ntext = read_file('a.txt')\n", "read_file", {"path": "a.txt"}),
        (LONG, "write_file", {"path": "a.md", "text": "# A\n\ntext"}),
        ("run_script('a.py', ['x', 'y'])", "run_script", {"path": "a.py", "arguments": ["x", "y"]}),
        ("run_tests()", "run_tests", {}),
    ],
)
def test_a_call_alone_is_that_call(code: str, tool: str, args: dict[str, Any]) -> None:
    action = single_call(code, default_tools())
    assert action is not None
    assert (action.tool, action.args) == (tool, args)


@pytest.mark.parametrize(
    "code",
    [
        "",
        "print(1)",
        "print()",
        "open('a.txt')",
        "read_file(path)",
        "read_file('a' + 'b')",
        "read_file(*['a.txt'])",
        "read_file(**{'path': 'a.txt'})",
        "read_file('a.txt', path='b.txt')",
        "read_file('a.txt', 1, 2, 3, 4, 5)",
        "read_file({'a'})",
        "read_file(b'a')",
        "read_file(1e999)",
        "read_file({1: 2})",
        "print(read_file('a.txt'), read_file('b.txt'))",
        "read_file('a.txt')\nread_file('b.txt')",
        "import os",
        "for n in range(3):\n    read_file('a.txt')",
        "tools.read_file('a.txt')",
        "read_file('a.txt'",
        "x = 1",
        "(" * 500 + ")" * 500,
        "read_file('\\d')[0]",
    ],
)
def test_anything_else_is_a_script(code: str) -> None:
    assert single_call(code, default_tools()) is None
