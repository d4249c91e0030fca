"""`replan history`, `show` and `diff`, of a run with a fork."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from recorded_run import RecordedRun, record_run

from replan.storage.database import Database

CYCLE = ["select_tool", "execute", "reflect", "review"]
FIRST = ["__start__", "recall", "decompose", "plan", *CYCLE, *CYCLE, "report", "remember"]


@pytest.fixture(scope="module")
def recorded(database: Database, tmp_path_factory: pytest.TempPathFactory) -> RecordedRun:
    return record_run(database, tmp_path_factory.mktemp("recorded"))


@pytest.fixture
def history(inside, recorded: RecordedRun) -> dict[str, Any]:
    done = inside("history", recorded.thread, "--json", OPENAI_API_KEY="")
    assert done.code == 0
    return done.result


def of_branch(history: dict[str, Any], number: int) -> list[dict[str, Any]]:
    return [one for one in history["checkpoints"] if one["branch"] == number]


def test_the_tree_has_both_branches(history, recorded: RecordedRun) -> None:
    first, second = history["branches"]
    assert (first["number"], first["from"]) == (1, "")
    assert (second["number"], second["from"]) == (2, recorded.forked_from)
    main, fork = of_branch(history, 1), of_branch(history, 2)
    assert [node for one in main for node in one["nodes"]] == FIRST
    assert main[0]["source"] == "input"
    assert fork[0]["source"] == "fork"
    assert [node for one in fork for node in one["nodes"]] == [
        "plan", *CYCLE, "report", "remember"
    ]  # fmt: skip
    assert history["head"] == fork[-1]["checkpoint_id"]
    assert [one["checkpoint_id"] for one in history["checkpoints"] if one["head"]] == [
        history["head"]
    ]
    for one, below in pairwise(main):
        assert below["parent_id"] == one["checkpoint_id"]
        assert below["nodes"] == one["next"]
    assert main[-1]["next"] == []


def test_each_step_tells_what_it_did_and_used(history) -> None:
    main = of_branch(history, 1)
    executed = [one for one in main if one["nodes"] == ["execute"]]
    assert [one["actions"][0]["tool"] for one in executed] == ["python", "write_file"]
    assert executed[1]["actions"][0]["args"]["path"] == "hello.txt"
    assert executed[0]["tasks"] == ["t1"]
    assert int(executed[0]["revision"]) < int(executed[1]["revision"])
    judged = [one for one in main if one["verdicts"]]
    assert [one["nodes"] for one in judged] == [["reflect"], ["reflect"]]
    assert judged[-1]["verdicts"] == {"t1": "done"}
    assert judged[-1]["actions"][0]["args"]["path"] == "hello.txt"
    decided = [one["decision"] for one in main if one["nodes"] == ["review"]]
    assert decided[-1] == "done"
    chosen = [one for one in main if one["nodes"] == ["select_tool"]]
    assert all(one["usage"]["input_tokens"] > 0 for one in chosen)
    assert all(one["usage"]["seconds"] > 0 for one in chosen)


def test_the_table_shows_every_checkpoint_of_every_branch(
    inside, history, recorded: RecordedRun
) -> None:
    said = inside("history", recorded.thread).out
    assert "\nbranch 2, from " in said
    for one in history["checkpoints"]:
        assert f"\n{one['checkpoint_id'][-6:]}" in said
    assert said.count(" head ") == 1
    assert "write_file path=hello.txt" in said
    assert "\x1b" not in said


def test_a_checkpoint_is_shown_with_its_calls_and_files(
    inside, history, recorded: RecordedRun
) -> None:
    written = [one for one in of_branch(history, 1) if one["nodes"] == ["execute"]][1]
    shown = inside("show", recorded.thread, written["checkpoint_id"], "--json").result
    [call] = shown["made_by"]
    assert (call["kind"], call["name"], call["outcome"]) == ("tool", "write_file", "ok")
    assert call["request"]["args"]["path"] == "hello.txt"
    assert call["response"]["ok"]
    assert shown["files"] == [{"path": "hello.txt", "change": "created"}]
    assert [due["node"] for due in shown["due"]] == ["reflect"]
    assert shown["state"]["goal"].startswith("Write the word")

    chosen = next(one for one in of_branch(history, 1) if one["nodes"] == ["select_tool"])
    page = inside("show", recorded.thread, chosen["checkpoint_id"][-8:]).out
    assert "model scripted: ok" in page
    assert "answer: " in page
    assert "call 0 of execute" in page
    assert "--full" in page
    assert "\\x1b[31mastray" in page
    assert "\x1b" not in page
    whole = inside("show", recorded.thread, chosen["checkpoint_id"], "--full").out
    assert len(whole) > len(page)
    assert "--full" not in whole


def test_the_head_is_what_is_shown_by_default(inside, history, recorded: RecordedRun) -> None:
    shown = inside("show", recorded.thread, "--json").result
    assert shown["checkpoint_id"] == history["head"]
    assert shown["state"]["status"] == "done"
    page = inside("show", recorded.thread, "head").out
    assert "nothing: the run has ended here" in page


def test_the_difference_of_two_branches(inside, history, recorded: RecordedRun) -> None:
    end = of_branch(history, 1)[-1]["checkpoint_id"]
    found = inside("diff", recorded.thread, end, "head", "--json").result
    assert found["branches"] == [1, 2]
    assert [one["path"] for one in found["files"]] == ["hello.txt"]
    [file] = found["files"]
    assert file["change"] == "changed"
    assert "\n hello\n+world" in file["diff"]
    assert found["state"]["revision"]["before"] != found["state"]["revision"]["after"]
    assert found["tasks"]["t1"]["rounds"] == {"before": 2, "after": 1}
    page = inside("diff", recorded.thread, end[-8:], "head").out
    assert "    +world\n" in page
    assert "      - 2\n" in page


def test_the_difference_within_a_branch(inside, history, recorded: RecordedRun) -> None:
    main = of_branch(history, 1)
    before = next(one for one in main if one["nodes"] == ["recall"])
    found = inside("diff", recorded.thread, before["checkpoint_id"], main[-1]["checkpoint_id"],
                   "--json").result  # fmt: skip
    assert [(one["path"], one["change"]) for one in found["files"]] == [
        ("hello.txt", "created"), ("other.txt", "created")
    ]  # fmt: skip
    assert found["tasks"]["t1"]["status"] == {"before": None, "after": "done"}
    same = inside("diff", recorded.thread, "head", "head").out
    assert same.count("  the same") == 3


def test_what_names_no_checkpoint_is_one_line(
    inside, history, recorded: RecordedRun, database: Database, tmp_path: Path
) -> None:
    other = record_run(database, tmp_path)
    foreign = json.loads(inside("history", other.thread, "--json").out)["head"]
    nowhere = str(uuid4())
    for args, said in (
        (("history", nowhere), f"there is no thread {nowhere}"),
        (("show", nowhere), f"there is no thread {nowhere}"),
        (("diff", nowhere, "head", "head"), f"there is no thread {nowhere}"),
        (("history", "nonsense"), "UUID"),
        (("show", recorded.thread, "nonsense"), "has no checkpoint 'nonsense'"),
        (("show", recorded.thread, "f"), "names no checkpoint"),
        (("show", recorded.thread, history["head"][:8]), "is the name of several checkpoints"),
        (("show", recorded.thread, foreign), f"is of another thread, {other.thread}"),
        (("diff", recorded.thread, "head", foreign), f"is of another thread, {other.thread}"),
        (("diff", recorded.thread, "nonsense", "head"), "has no checkpoint"),
    ):
        refused = inside(*args)
        assert (refused.code, refused.out) == (2, ""), args
        assert said in refused.complaint
