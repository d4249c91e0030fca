"""Which calls the model may choose from, given what it has seen and what its task is."""

from pathlib import Path

import pytest

from replan.nodes.contract import Brief, SelectToolRequest
from replan.nodes.select_tool.given_calls import given_call
from replan.nodes.select_tool.mending import editable, is_mending
from replan.nodes.select_tool.offers import (
    call_schemas,
    offered,
    only_call,
)
from replan.state.task import Action, Attempt, Check, CheckResult, Observation, Source, Task
from replan.tools.delete import speaks_of_deleting
from replan.tools.documents.search_documents import SearchDocuments
from replan.tools.toolbox import Toolbox, default_tools
from replan.tools.workspace import open_workspace

CHANGE = Check(kind="workspace_changed")
TESTS = Check(kind="tests_pass", path="test_a.py")
FAILS = CheckResult(check=TESTS, passed=False, detail="1 failed")
TABLE = "a.csv begins (9 lines of data):\nid\n1\n..."
CODE = "\na.py holds:\nx = 1"
BOTH = f"{CODE}\ntest_a.py holds:\ny"
MENDS = {"checks": [TESTS], "before": [FAILS]}
SOURCE = {"a.py": "x = 1"}
PY = ("a.py", "test_a.py")
EACH = [Check(kind="file_contains", path=path, text="x") for path in ("a.md", "b.md", "c.md")]
MOVES = "move_files python"
RAN = Attempt(
    action=Action(tool="run_script", args={"path": "a.py"}),
    observation=Observation(ok=False, repeated=True),
)
MANY = [f"{at}.md" for at in range(50)]
TEXT = {"a.md": "x"}
SHOWN = {"survey": "\na.txt holds:\nx", "writes": ["b.txt"]}
READ = "\na.md holds:\nx"


@pytest.fixture(autouse=True)
def no_search(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TAVILY_API_KEY", raising=False)


@pytest.fixture
def tools(workspace: Path) -> Toolbox:
    return Toolbox(open_workspace(workspace, create=False))


READ_ON = Action(tool="read_file", args={"path": "a.md", "start": 41})


def request(*existing: str, survey: str = "", **task: object) -> SelectToolRequest:
    return SelectToolRequest(
        brief=Brief(goal="a goal", survey=survey),
        task=Task.model_validate({"id": "t1", "title": "Do it", **task}),
        existing=list(existing),
    )


@pytest.mark.parametrize(
    ("asked", "sources", "names"),
    [
        (request(), {}, "python write_file"),
        (request("a.py", "test_a.py", writes=["b.py"], **MENDS), {}, "read_file write_file"),
        (request("a.csv", survey=TABLE, writes=["sum.txt"]), {}, "python"),
        (request("a.py", survey=CODE), {}, "move_files python write_file"),
        (request("a.py", survey=CODE, title="Run it"), {}, f"{MOVES} run_script write_file"),
        (request("a.py", survey=CODE, title="Try a.py"), {}, f"{MOVES} run_script write_file"),
        (request("a.py", survey=CODE, title="Run it", attempts=[RAN]), {}, f"{MOVES} write_file"),
        (request("a.md", survey=READ), {}, "move_files python write_file"),
        (request("a.md"), {}, "move_files python read_file write_file"),
        (request("a", "b", checks=[CHANGE], writes=["c.md"]), {}, "python read_file write_file"),
        (request("a.md", "b.md", checks=[CHANGE]), {}, "move_files python read_file write_file"),
        (request(*MANY), {}, "list_files move_files python read_file search_files write_file"),
        (request("a.md", writes=["b.json"]), {}, "python"),
        (request("a.md", writes=["b.json"], tries=1), {}, "python read_file"),
        (request(writes=["b.json"]), {}, "python write_file"),
        (request("a.txt", title="Sort the lines of a.txt", **SHOWN), {}, "python"),
        (request("a.txt", title="把 a.txt 的每行倒序写入 b.txt", **SHOWN), {}, "python"),
        (request("a.txt", title="Read a.txt, write b.txt", **SHOWN), {}, "python write_file"),
        (request("a.zip", title="List what a.zip holds", writes=["b.txt"]), {}, "python"),
        (request("a.md", "b.md", checks=EACH, writes=["c.md"]), {}, "python read_file"),
        (request("a.txt", title="Cut a.txt into b.txt, c.txt and so on", **SHOWN), {}, "python"),
        (request("a.txt", title="Translate the lines of a.txt", **SHOWN), {}, "python write_file"),
        (request("a.txt", title="总结 a.txt 的行动计划", **SHOWN), {}, "python write_file"),
        (request("a.md", writes=["b.json", "c.md"]), {}, "python read_file write_file"),
        (request(writes=["a.py"]), {}, "write_file"),
        (request(*PY, survey=BOTH), {}, "move_files python run_tests write_file"),
        (request(*PY, **MENDS), SOURCE, "edit_file"),
        (request(*PY, **MENDS, tries=1), SOURCE, "write_file"),
        (request(*PY, **MENDS, tries=2), SOURCE, "edit_file"),
        (request(*PY, survey=BOTH, **MENDS), {}, "write_file"),
        (request("a.md", survey=READ, writes=["a.md"]), TEXT, "edit_file python write_file"),
    ],
)  # fmt: skip
def test_what_is_offered(
    tools: Toolbox, asked: SelectToolRequest, sources: dict[str, str], names: str
) -> None:
    assert sorted(tool.name for tool in offered(asked, tools, sources)) == names.split()


def test_search_is_offered_where_it_can_be_used(
    tools: Toolbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TAVILY_API_KEY", "tvly-test")
    from replan.state.settings import settings

    settings.cache_clear()
    assert "web_search" in {tool.name for tool in offered(request(), tools, {})}
    monkeypatch.undo()
    settings.cache_clear()


PAGE = "Sum up https://example.org/a in a.md"
FOUND = Attempt(
    action=Action(tool="web_search", args={"query": "x"}),
    observation=Observation(ok=True, text="1. A page\n   https://example.org/b"),
    verdict="continue",
)


@pytest.mark.parametrize(
    ("asked", "is_offered"),
    [
        (request(), False),
        (request("a.md", title="Copy http.md to https://"), False),
        (request(title=PAGE), True),
        (request(title=PAGE, writes=["a.py"]), False),
        (request(attempts=[FOUND]), True),
        (request().model_copy(update={"earlier": ["found http://example.org/c"]}), True),
        (request().model_copy(update={"brief": Brief(goal=PAGE)}), True),
    ],
)
def test_pages_are_offered_where_there_is_an_address(
    tools: Toolbox, asked: SelectToolRequest, is_offered: bool
) -> None:
    assert ("read_page" in {tool.name for tool in offered(asked, tools, {})}) == is_offered


def test_documents_are_offered_where_there_are_some(
    workspace: Path, tools: Toolbox, tmp_path: Path
) -> None:
    documents = SearchDocuments(tmp_path)
    with_folder = Toolbox(tools.workspace, tools=default_tools(documents))
    named = {tool.name for tool in offered(request(), with_folder, {})}
    assert "search_documents" in named
    for asked, box in ((request(), tools), (request(writes=["a.py"]), with_folder)):
        assert "search_documents" not in {tool.name for tool in offered(asked, box, {})}


def test_the_schemas_of_the_calls(tools: Toolbox) -> None:
    asked = request("a.md", "b.csv", writes=["a.md", "c.md"])
    sources = {"a.md": "one\ntwo\n"}
    by_name = {
        schema["properties"]["tool"]["const"]: schema["properties"]
        for schema in call_schemas(offered(asked, tools, sources), asked, sources)
    }
    assert by_name["python"] == {"tool": {"const": "python"}}
    assert by_name["write_file"]["path"] == {"enum": ["a.md", "c.md"]}
    assert by_name["read_file"]["path"] == {"enum": ["a.md", "b.csv"]}
    assert by_name["edit_file"]["path"] == {"const": "a.md"}
    assert by_name["edit_file"]["edits"]["items"]["properties"]["old"] == {"enum": ["one", "two"]}


def test_the_only_call_there_is(tools: Toolbox) -> None:
    asked = request("a.csv", survey=TABLE, writes=["sum.txt"])
    assert only_call(offered(asked, tools, {}), asked) == {"tool": "python"}
    asked = request(writes=["a.py"])
    assert only_call(offered(asked, tools, {}), asked) == {"tool": "write_file", "path": "a.py"}
    asked = request(writes=["a.py", "b.py"])
    assert only_call(offered(asked, tools, {}), asked) is None
    assert only_call(offered(request(), tools, {}), request()) is None


def test_what_was_read_is_not_read_again(tools: Toolbox) -> None:
    read = Attempt(
        action=Action(tool="read_file", args={"path": "a.md"}),
        observation=Observation(ok=True, text="x"),
        verdict="continue",
    )
    asked = request("a.md", attempts=[read])
    assert "read_file" not in {tool.name for tool in offered(asked, tools, {})}


def test_a_module_that_is_missing_may_have_any_name(tools: Toolbox) -> None:
    lacks = FAILS.model_copy(update={"detail": "E   ModuleNotFoundError: No module named 'a'"})
    asked = request("test_a.py", "b.py", checks=[TESTS], before=[lacks])
    (call,) = (
        schema["properties"]
        for schema in call_schemas(offered(asked, tools, {}), asked, {})
        if schema["properties"]["tool"] == {"const": "write_file"}
    )
    assert call["path"]["type"] == "string"


@pytest.mark.parametrize(
    ("text", "deletes"),
    [
        ("Delete all files that are empty", True),
        ("files are to be removed", True),
        ("Deleting old logs", True),
        ("Get rid of draft.md", True),
        ("the removal of old.md", True),
        ("rm old.md", True),
        ("删除所有空文件", True),
        ("把草稿移除", True),
        ("清理旧日志", True),
        ("Add up the amounts in sales.csv", False),
        ("the remover of paint", False),
        ("undeleted mails", False),
        ("format the text", False),
        ("把文件移动到 docs", False),
        ("", False),
    ],
)
def test_what_speaks_of_deleting(text: str, deletes: bool) -> None:
    assert speaks_of_deleting(text) is deletes


@pytest.mark.parametrize(
    ("asked", "there"),
    [
        (request("a.md", title="Delete a.md"), True),
        (request("a.md", title="Tidy up"), False),
        (request("a.md", title="Remove duplicates", writes=["b.md"]), False),
        (request(title="Delete a.md"), False),
        (request("a.md", title="Delete a.md").model_copy(update={"protected": ["a.md"]}), False),
    ],
)
def test_delete_is_offered_where_it_is_asked_for(
    tools: Toolbox, asked: SelectToolRequest, there: bool
) -> None:
    assert ("delete_file" in {tool.name for tool in offered(asked, tools, {})}) is there


def test_delete_may_name_what_is_there_and_not_protected(tools: Toolbox) -> None:
    asked = request("a.md", "b.md", title="Delete a.md").model_copy(update={"protected": ["b.md"]})
    schemas = call_schemas([tools.get("delete_file"), tools.get("search_files")], asked, {})
    assert schemas[0]["properties"]["path"] == {"enum": ["a.md"]}
    assert list(schemas[1]["properties"]) == ["tool", "files", "text"]


def test_where_not_all_was_shown_it_can_be_read_on(tools: Toolbox) -> None:
    seen = Observation(ok=True, text="...", rest=READ_ON)
    read = Attempt(action=Action(tool="read_file", args={"path": "a.md"}), observation=seen)
    asked = request("a.md", attempts=[read])
    offers = offered(asked, tools, {})
    last = call_schemas(offers, asked, {})[-1]
    assert last["properties"] == {
        "tool": {"const": "read_file"},
        "path": {"const": "a.md"},
        "start": {"const": 41},
    }
    assert only_call(offers[:1], asked) is None


@pytest.mark.parametrize(
    ("title", "count", "is_offered"),
    [
        ("Move all files with a date before 2020 to old", 20, False),
        ("Move all files with a date before 2020 to old", 5, True),
        ("Move all .md files to old", 20, True),
        ("把大于一百行的文件移到 old", 20, False),
    ],
)
def test_which_of_many_files_meet_a_condition_is_for_a_script(
    tools: Toolbox, title: str, count: int, is_offered: bool
) -> None:
    asked = request(*MANY[:count], title=title)
    names = {tool.name for tool in offered(asked, tools, {})}
    assert ("move_files" in names) == is_offered
    assert "python" in names


def test_what_is_said_of_many_files_is_computed(tools: Toolbox) -> None:
    bills = [f"bills/{at}.txt" for at in range(6)]
    told = "\n(all 6 .txt files in bills/ are of one form)\nbills/0.txt holds:\nSum: 7"
    asked = request(*bills, survey=told, writes=["sum.txt"])
    assert {tool.name for tool in offered(asked, tools, {})} >= {"read_file", "write_file"}
    goal = Brief(goal="Add up the bills/ into sum.txt", survey=told)
    asked = asked.model_copy(update={"brief": goal})
    assert {tool.name for tool in offered(asked, tools, {})} == {"python"}


GUEST = Source(kind="document", name="stay.md", text="Three nights.")
OTHERS = [GUEST.model_copy(update={"text": f"{at} nights."}) for at in range(5)]
SEARCHED = Attempt(
    action=Action(tool="search_documents", args={"query": "guest"}),
    observation=Observation(ok=True, text="Nights.", sources=OTHERS),
    verdict="continue",
)
ALL_THERE_IS = SEARCHED.model_copy(
    update={"observation": Observation(ok=True, text="Three nights.", sources=[GUEST])}
)
REPEATED = SEARCHED.model_copy(update={"observation": Observation(ok=False, repeated=True)})


@pytest.mark.parametrize(
    ("attempts", "is_offered"),
    [
        ([SEARCHED], True),
        ([SEARCHED, SEARCHED], False),
        ([ALL_THERE_IS], False),
        ([SEARCHED, REPEATED], False),
        ([REPEATED, FOUND], True),
    ],
)
def test_who_searched_in_vain_is_to_do_something_else(
    tools: Toolbox, tmp_path: Path, attempts: list[Attempt], is_offered: bool
) -> None:
    box = Toolbox(tools.workspace, tools=default_tools(SearchDocuments(tmp_path)))
    asked = request(writes=["stay.txt"], attempts=attempts)
    assert ("search_documents" in {tool.name for tool in offered(asked, box, {})}) == is_offered


RUNS = Check(kind="script_runs", path="a.py", text="in.csv")


def test_a_script_to_mend_makes_the_other_files_itself(tools: Toolbox) -> None:
    asked = request(
        "a.py",
        writes=["a.py", "out.txt"],
        checks=[RUNS],
        before=[CheckResult(check=RUNS, passed=False, detail="KeyError: 'x'")],
    )
    assert is_mending(asked)
    assert editable(asked) == ["a.py"]
    assert [tool.name for tool in offered(asked, tools, SOURCE)] == ["edit_file"]


def test_a_script_that_was_mended_is_run() -> None:
    action = Action(tool="edit_file", args={"path": "a.py"})
    edited = Attempt(
        action=action,
        observation=Observation(ok=True, changed=["a.py"]),
        evidence=[CheckResult(check=RUNS, passed=True)],
    )
    task = Task(id="t1", title="x", attempts=[edited], rounds=1)
    call = given_call(task)
    assert call is not None
    assert (call.tool, call.args) == ("run_script", {"path": "a.py", "arguments": ["in.csv"]})
    ran = edited.model_copy(update={"action": call})
    assert given_call(task.model_copy(update={"attempts": [edited, ran]})) is None
    failing = edited.model_copy(update={"evidence": [CheckResult(check=RUNS, passed=False)]})
    assert given_call(task.model_copy(update={"attempts": [failing]})) is None


def test_a_script_whose_result_is_wrong_is_written_anew(tools: Toolbox) -> None:
    sorted_ = Check(kind="is_sorted", path="out.txt")
    ran = Attempt(
        action=Action(tool="run_script", args={"path": "a.py"}),
        observation=Observation(ok=True, changed=["out.txt"]),
        evidence=[
            CheckResult(check=RUNS, passed=True),
            CheckResult(check=sorted_, passed=False, detail="'a' stands behind 'b'"),
        ],
    )
    asked = request(
        "a.py", "out.txt", writes=["a.py", "out.txt"], checks=[RUNS, sorted_], attempts=[ran]
    )
    found = offered(asked, tools, SOURCE)
    assert "write_file" in [tool.name for tool in found]
    assert "edit_file" not in [tool.name for tool in found]
    write = next(tool for tool in found if tool.name == "write_file")
    assert only_call([write], asked) == {"tool": "write_file", "path": "a.py"}


def test_what_is_left_of_several_files_is_offered_next(tools: Toolbox) -> None:
    seen = Observation(ok=True, changed=["a.md"])
    edited = Attempt(action=Action(tool="edit_file"), observation=seen, verdict="continue")
    several = {"title": "Mend a.md, b.md", "writes": ["a.md", "b.md"], "attempts": [edited]}
    asked = request("a.md", "b.md", **several)
    sources = {"a.md": "x", "b.md": "y"}
    offers = [one for one in offered(asked, tools, sources) if one.name != "python"]
    told = {str(one["properties"].get("path")) for one in call_schemas(offers, asked, sources)}
    assert told == {"{'const': 'b.md'}", "{'enum': ['b.md']}"}
