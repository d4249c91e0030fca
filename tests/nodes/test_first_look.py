"""The look into the documents before a file is written from them."""

from pathlib import Path

import pytest

from replan.nodes.contract import Brief, SelectToolRequest
from replan.nodes.select_tool.conversation import conversation
from replan.nodes.select_tool.first_look import first_look
from replan.nodes.select_tool.given_calls import look_at_made
from replan.nodes.select_tool.offers import offered
from replan.state.task import WENT_WRONG, Action, Attempt, Check, CheckResult, Observation, Task
from replan.tools.documents.search_documents import SearchDocuments
from replan.tools.toolbox import Toolbox, default_tools
from replan.tools.workspace import open_workspace

GOAL = "How long may a guest stay? Write it to stay.txt"


@pytest.fixture
def tools(workspace: Path, tmp_path: Path) -> Toolbox:
    place = open_workspace(workspace, create=False)
    others = [tool for tool in default_tools() if tool.name != "search_documents"]
    return Toolbox(place, tools=[*others, SearchDocuments(tmp_path)])


def request(goal: str = GOAL, existing: tuple[str, ...] = (), **task: object) -> SelectToolRequest:
    made = {"id": "t1", "title": goal, "writes": ["stay.txt"], **task}
    return SelectToolRequest(
        brief=Brief(goal=goal), task=Task.model_validate(made), existing=list(existing)
    )


def test_the_goals_words_are_looked_up_first(tools: Toolbox) -> None:
    query = "How long may a guest stay? Write it to"
    look = Action(tool="search_documents", args={"query": query}, unasked=True)
    assert first_look(request(), tools) == look
    there = request(f"{GOAL}, as our handbook has it", ("a.csv",))
    assert first_look(there, tools) is not None


@pytest.mark.parametrize(
    "asked",
    [
        request(existing=("a.csv",)),
        request(writes=[]),
        request(rounds=1),
        request(writes=["stay.py"]),
        request(checks=[Check(kind="tests_pass")]),
    ],
)
def test_where_none_is_needed_there_is_none(asked: SelectToolRequest, tools: Toolbox) -> None:
    assert first_look(asked, tools) is None


def test_without_documents_there_is_none(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REPLAN_DOCUMENTS", raising=False)
    assert first_look(request(), Toolbox(open_workspace(workspace, create=False))) is None


def test_then_no_script_is_offered_for_there_is_nothing_it_could_open(tools: Toolbox) -> None:
    looked = Attempt(
        action=Action(tool="search_documents", args={"query": "guest"}),
        observation=Observation(ok=True, text="three nights"),
        verdict="continue",
    )
    asked = request(attempts=[looked], rounds=1)
    assert [tool.name for tool in offered(asked, tools, {})] == ["write_file", "search_documents"]
    asked = request(existing=("a.csv",), attempts=[looked], rounds=1)
    assert "python" in [tool.name for tool in offered(asked, tools, {})]


SERVICES = tuple(f"service_{name}.md" for name in ("backup", "billing", "payroll", "website"))
HEADS = "Write who heads backup and payroll to heads.txt"


def heads(survey: str = "", **task: object) -> SelectToolRequest:
    asked = request(HEADS, SERVICES, **{"writes": ["heads.txt"], **task})
    return asked.model_copy(update={"brief": Brief(goal=HEADS, survey=survey)})


def look_at(path: str) -> Attempt:
    action = Action(tool="read_file", args={"path": path}, unasked=True)
    return Attempt(action=action, observation=Observation(ok=True, text="Rita"), verdict="continue")


def test_files_that_the_task_means_are_read_one_after_the_other(tools: Toolbox) -> None:
    first, second = (look_at(f"service_{name}.md") for name in ("backup", "payroll"))
    assert first_look(heads(), tools) == first.action
    assert first_look(heads(attempts=[first], rounds=1), tools) == second.action
    assert first_look(heads(attempts=[first, second], rounds=2), tools) is None


@pytest.mark.parametrize(
    "asked",
    [
        heads("\nservice_backup.md holds:\nRita\nservice_payroll.md holds:\nEva"),
        heads(tries=1),
        heads(writes=[]),
        heads(attempts=[Attempt(action=Action(tool="python"), observation=Observation(ok=True))]),
    ],
)
def test_what_is_known_or_begun_is_not_read(asked: SelectToolRequest, tools: Toolbox) -> None:
    assert first_look(asked, tools) is None


def test_looks_are_told_as_found_not_as_turns_of_the_model(tools: Toolbox) -> None:
    asked = heads(attempts=[look_at("service_backup.md")], rounds=1)
    told = conversation(asked, tools, {})
    assert [message.type for message in told] == ["system", "human"]
    assert "read_file service_backup.md: Rita" in str(told[-1].content)


def test_what_an_earlier_script_has_made_is_looked_at() -> None:
    check = Check(kind="file_exists", path="stay.txt")
    there = CheckResult(check=check, passed=True)
    brief = Brief(goal=GOAL, survey="Files in the workspace: a.txt, b.txt\na.txt holds:\nx")
    known = {"earlier": ["Done before: a"], "brief": brief}
    made = request(before=[there]).model_copy(update=known)
    look = look_at_made(made)
    assert look is not None
    assert (look.tool, look.args, look.unasked) == ("read_file", {"path": "stay.txt"}, False)

    def other(**changes: object) -> SelectToolRequest:
        return made.model_copy(update={"task": made.task.model_copy(update=changes)})

    missing = CheckResult(check=check, passed=False)
    sorts = CheckResult(check=Check(kind="is_sorted", path="stay.txt"), passed=False)
    code = CheckResult(check=Check(kind="file_exists", path="a.py"), passed=True)
    assert look_at_made(request(before=[there])) is None
    assert look_at_made(other(before=[missing])) is None
    assert look_at_made(other(before=[there, sorts])) is None
    assert look_at_made(other(before=[])) is None
    assert look_at_made(other(rounds=1)) is None
    assert look_at_made(other(title="Add a line to stay.txt")) is None
    for files in ("stay.txt, a.txt", "a.txt\n(and 3 more)"):
        was = Brief(goal=GOAL, survey=f"Files in the workspace: {files}\nx")
        assert look_at_made(made.model_copy(update={"brief": was})) is None
    assert look_at_made(other(title=f"a{WENT_WRONG}b")) is None
    assert look_at_made(other(writes=["a.py"], before=[code])) is None


NEAREST = """
chat.txt begins (700 lines):
A: x
...
Of the rest of chat.txt, what is nearest to the goal"""


@pytest.mark.parametrize(
    ("goal", "survey", "names"),
    [
        ("Find out from chat.txt where Eva lives", NEAREST, ["write_file"]),
        ("从 chat.txt 找出她住在哪里", NEAREST, ["write_file"]),
        ("Find out from chat.txt how many lines there are", NEAREST, ["python"]),
        ("Find out from chat.txt where Eva lives", NEAREST.replace("700", "70"), ["python"]),
        ("Sum up chat.txt", NEAREST, ["python"]),
        ("Copy what is between A and B in chat.txt", NEAREST, ["python"]),
        ("Find out the email addresses in chat.txt", NEAREST, ["python"]),
        ("找出 chat.txt 中的邮箱地址", NEAREST, ["python"]),
        ("Find out from chat.txt who wrote more", NEAREST, ["python"]),
        ("Find out what is in chat.txt and who Eva is", NEAREST, ["write_file"]),
        ("Find out from chat.txt and b.txt where Eva lives", NEAREST, ["python"]),
    ],
)
def test_facts_of_a_long_text_are_written_from_what_is_told(
    tools: Toolbox, goal: str, survey: str, names: list[str]
) -> None:
    asked = request(goal, ("chat.txt", "b.txt"), writes=["eva.json"])
    asked = asked.model_copy(update={"brief": Brief(goal=goal, survey=survey)})
    facts = names == ["write_file"]
    found = [one.name for one in offered(asked, tools, {}) if one.name != "search_documents"]
    assert found == names
    assert (first_look(asked, Toolbox(tools.workspace)) is None) == facts
