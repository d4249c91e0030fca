import pytest

from replan.nodes.decompose.scripts import scripts_to_run
from replan.nodes.named_files import named_files


@pytest.mark.parametrize(
    ("goal", "runs"),
    [
        ("`python tool.py` crashes, mend tool.py", [("tool.py", "")]),
        (
            "`python3 tool.py in.csv --all` stops half-way. Mend tool.py",
            [("tool.py", "in.csv --all")],
        ),
        ("python tool.py fails with a KeyError; mend it", [("tool.py", "")]),
        ("Mend tool.py so that it runs", [("tool.py", "")]),
        ("tool.py 运行时崩溃，请修复", [("tool.py", "")]),
        ("Run `python tool.py | sort` and mend tool.py", []),
        ("Add a function to tool.py", []),
        ("tool.py crashes on files with a BOM. Mend it.", []),
        ("tool.py crashes when the player types a letter", []),
        ("`python tool.py x` exits with code 1 where it should not: mend tool.py", []),
        ("Mend crash_tool.py; car crashes are what tool.py counts", []),
        ("`python tool.py` crashes. Mend it but do not run it.", []),
        ("The Server in tool.py crashes.", []),
        ("tool.py 崩溃，不要运行它", []),
        ("python tool.py in.csv writes the wrong sum: mend tool.py", []),
        ("Mend the server in tool.py so that it runs", []),
        ("Mend test_tool.py so that it runs", []),
        ("Write new.py so that it runs", []),
    ],
)
def test_scripts_that_are_to_run(goal: str, runs: list[tuple[str, str]]) -> None:
    changes = named_files(goal, ["tool.py", "test_tool.py", "in.csv"])
    found = scripts_to_run(goal, [path for path in changes if path != "new.py"])
    assert [(check.path, check.text) for check in found] == runs
    assert all(check.kind == "script_runs" for check in found)
