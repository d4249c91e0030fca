"""`replan tools` and `replan tool`: by hand, through the same policy."""

import json
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from mcp_settings import SECRET, settings_text
from terminal import at_a_terminal

FIELDS = ["ok", "text", "error", "reason", "changed", "seconds"]


def test_the_tools_are_listed(inside, tmp_path: Path) -> None:
    (tmp_path / "replan.toml").write_text('[approvals]\nask = ["python(*)"]\n')
    listed = inside("tools", "--approve", "deny:write_file(*.md)", "--json")
    assert listed.code == 0
    tools = {one["name"]: one for one in json.loads(listed.out)}
    assert tools["python"]["policy"] == "ask:python(*), allow"
    assert tools["write_file"]["policy"] == "deny:write_file(*.md), allow"
    assert tools["web_search"]["policy"] == "ask"
    assert tools["write_file"]["parameters"]["required"] == ["path", "text"]
    assert (tools["python"]["available"], tools["python"]["why_not"]) == (True, "")
    assert not tools["web_search"]["available"]
    assert "TAVILY_API_KEY" in tools["web_search"]["why_not"]
    plain = inside("tools").out
    assert "python(code): run a Python script once" in plain
    assert "    policy: ask:python(*), allow" in plain
    assert "    not available: no TAVILY_API_KEY is set" in plain


def test_a_call_by_hand(inside, workspace: str) -> None:
    args = json.dumps({"path": "a.txt", "text": "hello"})
    made = inside("tool", "write_file", args, "--workspace", workspace)
    assert made.code == 0
    assert list(made.result) == FIELDS
    assert (made.result["ok"], made.result["changed"]) == (True, ["a.txt"])
    assert (Path(workspace) / "a.txt").read_text() == "hello"
    failed = inside("tool", "read_file", '{"path": "b.txt"}', "--workspace", workspace)
    assert failed.code == 1
    assert failed.result["error"] == "b.txt does not exist."
    late = inside("tool", "python", '{"code": "while True: pass"}', "--seconds", "1")
    assert (late.code, "time limit" in late.result["reason"]) == (1, True)


def test_the_same_policy(inside, workspace: str) -> None:
    args = ("write_file", '{"path": "x/../a.md", "text": ""}', "--workspace", workspace)
    denied = inside("tool", *args, "--approve", "deny:write_file(a.md)")
    assert (denied.code, denied.result["reason"]) == (1, "denied")
    asked = inside("tool", *args, "--approve", "ask:write_file")
    assert (asked.code, asked.result["reason"]) == (1, "ask")
    assert list(Path(workspace).iterdir()) == []


def test_documents_are_searched_as_in_a_run(
    inside, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With another choice of what makes vectors, those that runs have made would go."""
    chosen: list[str] = []
    monkeypatch.setattr("replan.cli.tools.choose_embedder", lambda: chosen.append("asked"))
    (tmp_path / "papers").mkdir()
    (tmp_path / "papers" / "copper.md").write_text("Copper melts at 1085 degrees.")
    papers = str(tmp_path / "papers")
    seen = inside("tool", "search_documents", '{"query": "copper"}', REPLAN_DOCUMENTS=papers)
    assert "1085" in seen.result["text"]
    assert chosen == ["asked"]


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["no_such_tool", "{}"], "there is no tool 'no_such_tool'"),
        (["python", "{"], "JSON is not JSON"),
        (["python", "[]"], "is not a JSON object"),
        (["python", "{}", "--workspace", "missing"], "missing does not exist"),
        (["python", "{}", "--approve", "python"], "approvals.0: 'python' is no rule"),
    ],
)
def test_bad_input(inside, args: list[str], said: str) -> None:
    refused = inside("tool", *args)
    assert (refused.code, refused.out) == (2, "")
    assert said in refused.complaint


def test_at_a_terminal_it_asks(inside, workspace: str) -> None:
    args = ["tool", "write_file", '{"path": "a", "text": "1"}', "--workspace", workspace]
    args += ["--approve", "ask:write_file"]
    code, said = at_a_terminal(args, [("Make this call?", b"n\n"), ("Why not", b"no need\n")])
    assert (code, '"reason": "rejected"' in said, "no need" in said) == (1, True, True)
    typed = [("Make this call?", b"e\n"), ("New", b'{"path": "b", "text": "2"}\n')]
    code, said = at_a_terminal(args, typed)
    assert code == 0, said
    assert [path.name for path in Path(workspace).iterdir()] == ["b"]


def test_tools_of_mcp_servers(inside, tmp_path: Path) -> None:
    (tmp_path / "replan.toml").write_text(settings_text())
    listed = inside("tools", "--json", THINGS_TOKEN=SECRET)
    tools = {one["name"]: one for one in json.loads(listed.out)}
    assert tools["mcp__things__add"]["policy"] == "ask"
    assert tools["mcp__things__add"]["available"]
    allowed = ("--approve", "allow:mcp__things__*")
    added = inside("tool", "mcp__things__add", '{"a": 1, "b": 2}', *allowed, THINGS_TOKEN=SECRET)
    assert added.result["text"].splitlines()[-2] == "3"
    told = inside("tool", "mcp__things__environment", "{}", *allowed, THINGS_TOKEN=SECRET)
    assert "GIVEN=***" in told.out
    assert SECRET not in told.out + told.err
    down = inside("tool", "mcp__things__add", '{"a": 1, "b": 2}', *allowed)
    assert down.code == 1
    assert "THINGS_TOKEN is not set" in down.result["error"]
    children = psutil.Process().children(recursive=True)
    assert [one for one in children if "mcp_server" in " ".join(one.cmdline())] == []


def test_a_full_standard_output_is_one_line(replan) -> None:
    """There is no thread to go on with."""
    command = [sys.executable, "-m", "replan.cli.main", "tools"]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            command, cwd=replan.folder, stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert "No space left" in done.stderr
    assert "resume" not in done.stderr
    assert "Traceback" not in done.stderr
