"""Endless answers are cut where they begin to repeat; others are left alone."""

import pytest

from replan.nodes.select_tool.run_on import cut_run_on

ASSERTS = "".join(f"    assert f({at}) == {at * 2}\n" for at in range(40))


def test_an_endless_list_is_cut_to_its_first_lines() -> None:
    text = f"def test_f():\n{ASSERTS}    assert f(4"
    assert cut_run_on(text) == f"def test_f():\n{''.join(ASSERTS.splitlines(True)[:5])}"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x = 1\ny = 2\n",
        f"{ASSERTS}print('the end')\nprint(",
        "\n".join(f"line_{at} = call_{'x' * at}()" for at in range(40)),
        "\n" * 40,
    ],
)
def test_what_is_long_but_not_endless_is_not_cut(text: str) -> None:
    assert cut_run_on(text) is None
