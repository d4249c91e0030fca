"""Slips in string literals that are put right unasked."""

import sys

import pytest

from replan.nodes.select_tool.string_quotes import with_escaped_breaks, with_own_quotes


@pytest.mark.parametrize(
    ("code", "better"),
    [
        ("f(f'{a},{','.join(b)}\\n')", "f(f'{a},{\",\".join(b)}\\n')"),
        ('print(f"{d["a"]} {{y}}", f\'b{1}\')', "print(f\"{d['a']} {{y}}\", f'b{1}')"),
        ("y = f'it\\'s {d['x']:>{w}}'", "y = f'it\\'s {d[\"x\"]:>{w}}'"),
        ("y = f'{'\\n'.join(a)}'", "y = f'{chr(10).join(a)}'"),
        ("y = f\"{'\\t'.join(a)}\"", 'y = f"{chr(9).join(a)}"'),
        ("x = 1\n名 = f'{行['名']}'\n", "x = 1\n名 = f'{行[\"名\"]}'\n"),
    ],
)
@pytest.mark.skipif(sys.version_info >= (3, 12), reason="newer versions can read it")
def test_quotes_inside_braces(code: str, better: str) -> None:
    compile(better, "a.py", "exec")
    assert with_own_quotes(code) == better
    assert with_own_quotes(better) == better


@pytest.mark.parametrize(
    "code", ["f'{a}'", "f'{a", "x = 'a' 'b", "f'''{a['x']}", "for in f'{d['a']}'", "", "f'{"]
)
def test_what_it_cannot_put_right_stays(code: str) -> None:
    assert with_own_quotes(code) == code


@pytest.mark.parametrize(
    ("line", "new", "stands"),
    [
        ("x = 'a", "x = 'a\n'", "x = 'a\\n'"),
        ("x = 'a", "x = 1\ny = 2", "x = 1\ny = 2"),
        ("x = 'a", "x = 'b'", "x = 'b'"),
        ("x = 'a", "x = (\n", "x = (\n"),
        ("x = (", "# it fails:\nx = 2 (", "# it fails:\nx = 2 ("),
    ],
)
def test_line_breaks_in_literals(line: str, new: str, stands: str) -> None:
    assert with_escaped_breaks(f"{line}\n", line, new) == stands
