"""`replan strategies`, and runs by the name of one."""

import json
from pathlib import Path

from openai_server import openai_server_in_thread
from scripted_agent import Move, ScriptedAgent

GOAL = "Write the word hello to hello.txt"
WRITE = Move("write_file", "hello", path="hello.txt")
KEY = "sk-scripted-0123456789"


def test_they_are_listed_with_what_each_is_for(inside) -> None:
    told = inside("strategies").out
    assert "rewoo: For answers out of known sources" in told
    assert "    sets: decompose=none, plan=rewoo, reflect=checks\n" in told
    listed = json.loads(inside("strategies", "--json").out)
    assert [one["name"] for one in listed][:3] == ["one_shot", "plan_execute", "react"]
    assert all(one["about"] and not one["own"] for one in listed)


def test_a_run_by_a_strategy_in_which_what_is_set_by_name_counts(
    inside, workspace: str, thread: str
) -> None:
    astray = ScriptedAgent([Move("python", "print('elsewhere')")], report="No.")
    model = [astray]
    with openai_server_in_thread(lambda body: model[-1](body), key=KEY) as server:
        args = ("--workspace", workspace, "--thread", thread, "--strategy", "one_shot")
        done = inside("run", GOAL, *args, "--set", "report=llm", "--json",
                      OPENAI_BASE_URL=server.url)  # fmt: skip
        assert done.code == 1
        assert done.result["usage"]["steps"] == 1
        assert "No." in done.result["report"]
        assert "decompose" not in astray.asked

        # The strategy is kept with the thread; another one takes its place.
        again = inside("resume", thread, "--json", OPENAI_BASE_URL=server.url)
        assert (again.code, astray.asked.count("replan")) == (1, 0)
        model.append(ScriptedAgent([WRITE]))
        done = inside("resume", thread, "--strategy", "react", "--json",
                      OPENAI_BASE_URL=server.url)  # fmt: skip
    assert done.code == 0, done.err
    assert (Path(workspace) / "hello.txt").read_text() == "hello\n"


def test_an_unknown_strategy_is_named_with_those_there_are(inside, workspace: str) -> None:
    for option in (("--strategy", "reakt"), ("--set", "strategy=reakt")):
        refused = inside("run", GOAL, "--workspace", workspace, *option)
        assert refused.code == 2
        assert "there is no strategy 'reakt'. There are: one_shot, plan_execute, react" in (
            refused.complaint
        )


def test_an_own_strategy_with_an_unknown_implementation_is_named(
    inside, workspace: str, tmp_path: Path, monkeypatch
) -> None:
    file = tmp_path / "own.toml"
    file.write_text('[strategies.mine]\nabout = "For me."\nplan = "htn"\n')
    listed = inside("strategies", REPLAN_SETTINGS=str(file))
    assert "mine (own): For me." in listed.out
    refused = inside("run", GOAL, "--workspace", workspace, "--strategy", "mine",
                     REPLAN_SETTINGS=str(file))  # fmt: skip
    assert refused.code == 2
    assert "the role plan has no implementation 'htn'" in refused.complaint


def test_a_dry_run_and_then_in_earnest(inside, workspace: str, thread: str) -> None:
    with openai_server_in_thread(ScriptedAgent([WRITE], report="Written."), key=KEY) as server:
        url = {"OPENAI_BASE_URL": server.url}
        args = ("--workspace", workspace, "--thread", thread, "--set", "execute=dry_run")
        told = inside("run", GOAL, *args, "--json", **url)
        assert (told.code, told.result["status"]) == (1, "stopped")
        assert "write_file path=hello.txt with:\nhello" in told.result["report"]
        assert list(Path(workspace).iterdir()) == []
        again = inside("resume", thread, "--json", **url)  # still a dry run
        assert (again.result["status"], list(Path(workspace).iterdir())) == ("stopped", [])
        done = inside("resume", thread, "--set", "execute=direct", "--json", **url)
        assert (done.code, done.result["report"]) == (0, "Written.")
    assert (Path(workspace) / "hello.txt").read_text() == "hello\n"
