"""The tool: in the sandbox, all or nothing, on whatever lies in the workspace."""

import pytest

from replan.tools.protocol import Tool
from replan.tools.tables.query_tables import QueryTables
from replan.tools.workspace import Workspace


async def test_the_result_is_shown_and_written(call, workspace: Workspace) -> None:
    await workspace.write_text("a.csv", "city,n\nOslo,2\nLima,5\n")
    seen = await call(
        "query_tables", query="SELECT city FROM a ORDER BY n DESC", path="new/best.txt"
    )
    assert seen.ok, seen.error
    assert seen.text == "2 rows written to new/best.txt:\ncity\nLima\nOslo"
    assert seen.changed == ["new/best.txt"]
    assert await workspace.read_text("new/best.txt", 100) == "Lima\nOslo\n"


async def test_without_a_file_to_write_it_is_shown_alone(call, workspace: Workspace) -> None:
    await workspace.write_text("a.csv", "n\n" + "".join(f"{n}\n" for n in range(30)))
    seen = await call("query_tables", query="SELECT n FROM a")
    assert seen.changed == []
    assert seen.text.startswith("n\n0\n1\n")
    assert seen.text.endswith("\n19\n(and 10 more rows)")


async def test_what_fails_writes_nothing_and_says_why(call, workspace: Workspace) -> None:
    await workspace.write_text("a.csv", "n\n1\n")
    await workspace.write_text("out.csv", "kept\n")
    seen = await call("query_tables", query="SELECT m FROM a", path="out.csv")
    assert seen.error == "no such column: m. There are the tables a(n)"
    assert await workspace.read_text("out.csv", 100) == "kept\n"


async def test_the_file_it_writes_is_no_table_of_its_own(call, workspace: Workspace) -> None:
    await workspace.write_text("a.csv", "n\n1\n")
    await workspace.write_text("out.csv", "n\n2\n")
    seen = await call("query_tables", query="SELECT * FROM out", path="out.csv")
    assert seen.error.startswith("no such table: out")


async def test_tables_that_are_named_have_their_own_names(call, workspace: Workspace) -> None:
    await workspace.write_text("p/a.csv", "n\n1\n")
    await workspace.write_text("q/a.csv", "n\n2\n")
    await workspace.write_text("bad.csv", "n\n\xff\n")
    (workspace.path / "bad.csv").write_bytes(b"n\nM\xfcnchen\n")
    seen = await call("query_tables", query="SELECT n FROM a", files=["q/a.csv"])
    assert seen.text == "n\n2"
    assert "UnicodeDecodeError" in (await call("query_tables", query="SELECT 1")).error


def test_rules_see_every_table_that_is_read(workspace: Workspace) -> None:
    for name in ("a.csv", "secret/pay.csv", "out.csv", "notes.txt"):
        (workspace.path / name).parent.mkdir(exist_ok=True)
        (workspace.path / name).write_text("n\n1\n")
    tool = QueryTables()
    assert tool.subjects({"query": "", "path": "./out.csv"}, workspace) == [
        "./out.csv", "a.csv", "secret/pay.csv",
    ]  # fmt: skip
    assert tool.subjects({"query": "", "files": ["a.csv"]}, workspace) == ["a.csv"]


async def test_modules_of_the_workspace_are_not_taken_for_its_own(
    call, workspace: Workspace
) -> None:
    await workspace.write_text("csv.py", "raise SystemExit('mine')")
    await workspace.write_text("a.csv", "n\n1\n")
    assert (await call("query_tables", query="SELECT n FROM a")).text == "n\n1"


async def test_a_query_without_an_end_is_ended(call, workspace: Workspace) -> None:
    await workspace.write_text("a.csv", "n\n1\n")
    endless = "WITH RECURSIVE r(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM r) SELECT sum(x) FROM r"
    seen = await call("query_tables", query=endless, seconds=2)
    assert not seen.ok
    assert seen.reason == "the time limit of 2 s"


@pytest.mark.parametrize(
    ("args", "wrong"),
    [
        ({"path": "out.py"}, "out.py is no table."),
        ({}, "The workspace holds no table."),
    ],
)
async def test_where_there_is_nothing_to_ask(call, args: dict[str, str], wrong: str) -> None:
    assert wrong in (await call("query_tables", query="SELECT 1", **args)).error


@pytest.mark.parametrize("path", ["../out.csv", "/tmp/replan-query-out.csv"])
async def test_nothing_is_written_outside(call, workspace: Workspace, path: str) -> None:
    await workspace.write_text("a.csv", "n\n1\n")
    seen = await call("query_tables", query="SELECT n FROM a", path=path)
    assert "outside" in seen.error
    assert not (workspace.path / path).exists()


async def test_a_protected_file_stays(call, workspace: Workspace) -> None:
    await workspace.write_text("a.csv", "n\n1\n")
    await workspace.write_text("b.csv", "kept\n")
    seen = await call("query_tables", query="SELECT n FROM a", path="b.csv", protected=["b.csv"])
    assert "b.csv must not be changed" in seen.error
    assert await workspace.read_text("b.csv", 100) == "kept\n"


async def test_sql_cannot_reach_another_file(call, workspace: Workspace) -> None:
    await workspace.write_text("a.csv", "n\n1\n")
    seen = await call("query_tables", query="ATTACH 'x.db' AS x")
    assert seen.error.startswith("not authorized")
    assert await workspace.files() == ["a.csv"]


def test_prompts_do_not_name_it() -> None:
    tool: Tool = QueryTables()
    assert not QueryTables().told_of("Sum up a.csv")
    assert tool.parameters["required"] == ["query"]
