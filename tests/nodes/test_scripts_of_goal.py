import pytest

from replan.nodes.decompose.scripts import (
    scripts_to_run,
    scripts_to_write_and_run,
    tasks_of_scripts,
)
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


def test_scripts_that_are_written_and_run() -> None:
    goal = (
        "Write two scripts: up.py reads in.txt and writes it in capitals to up.txt; count.py reads "
        "up.txt and writes how many lines it has to n.txt. Run both."
    )
    new = ["up.py", "up.txt", "count.py", "n.txt"]
    checks = scripts_to_write_and_run(goal, new)
    assert [check.path for check in checks] == ["up.py", "count.py"]
    tasks = tasks_of_scripts(goal, new, checks)
    assert [task.writes for task in tasks] == [["up.py", "up.txt"], ["count.py", "n.txt"]]
    assert tasks[0].title == "up.py reads in.txt and writes it in capitals to up.txt"
    assert scripts_to_write_and_run(goal.replace("Run both.", ""), new) == []
    assert tasks_of_scripts(goal, [*new, "more.txt"], checks) == []
    assert tasks_of_scripts(goal, new, []) == []
