"""The task suite holds what it promises, and the check of it finds what does not."""

from pathlib import Path

import pytest
from check_tasks import check_all, check_suite, check_task
from task_files import judge, load_task, load_tasks, make_workspace, solve

TASKS = {task.id: task for task in load_tasks()}


def test_every_task_can_be_judged() -> None:
    assert check_all(list(TASKS.values())) == []


def test_a_third_is_holdout_in_every_category() -> None:
    held = [task for task in TASKS.values() if task.split == "holdout"]
    assert len(TASKS) >= 66
    assert abs(len(held) - len(TASKS) / 3) <= 1
    assert {task.category for task in held} == {task.category for task in TASKS.values()}


def test_a_small_or_lopsided_suite_is_told() -> None:
    told = check_suite(list(TASKS.values())[:2])
    assert told[:2] == ["2 tasks, fewer than 60", "1 categories, fewer than 10"]
    assert "chinese has one split alone" in told


def _task(folder: Path, judge_script: str, toml: str = 'goal = "g"\nsplit = "dev"\n') -> Path:
    folder = folder / "kind" / "name"
    (folder / "solution").mkdir(parents=True)
    (folder / "solution" / "out.txt").write_text("right\n")
    (folder / "task.toml").write_text(toml)
    (folder / "judge.py").write_text(judge_script)
    return folder


@pytest.mark.parametrize(
    ("script", "told"),
    [
        ("", "the untouched workspace passes"),
        ("raise SystemExit(1)", "the reference solution fails: the judge ended with 1"),
        (
            "from pathlib import Path\nassert Path('out.txt').exists()\n",
            "passes with out.txt emptied",
        ),
        ("from judging import equal, text\nequal(text('out.txt'), 'right\\n', 'out')\n", ""),
    ],
)
def test_a_judge_that_is_too_kind_or_too_hard_is_told(
    tmp_path: Path, script: str, told: str
) -> None:
    found = check_task(load_task(_task(tmp_path, script)))
    assert (f"kind/name: {told}" in found) if told else (found == [])


@pytest.mark.parametrize(
    "toml",
    [
        'goal = "g"\n',
        'goal = ""\nsplit = "dev"\n',
        'goal = "g"\nsplit = "test"\n',
        'goal = "g"\nsplit = "dev"\nminutes = 4\n',
        'goal = "g"\nsplit = "dev"\ndocuments = "papers"\n',
    ],
)
def test_a_description_that_cannot_be_used_is_told(tmp_path: Path, toml: str) -> None:
    with pytest.raises(ValueError, match=r"task\.toml"):
        load_task(_task(tmp_path, "", toml))


def test_the_judge_says_in_one_line_what_is_wrong_and_leaves_the_workspace(tmp_path: Path) -> None:
    task = TASKS["steps/pipeline"]
    make_workspace(task, tmp_path)
    solve(task, tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert judge(task, tmp_path) == ""
    (tmp_path / "score.json").write_text('{"mia": 15}')
    assert judge(task, tmp_path) == (
        "score.json: {'mia': 15} is not {'mia': 16, 'tom': 8, 'zoe': 9}"
    )
    (tmp_path / "score.json").write_bytes(before[tmp_path / "score.json"])
    assert before == {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}


def test_a_judge_that_does_not_end_is_a_verdict(tmp_path: Path) -> None:
    task = load_task(_task(tmp_path, "import time\ntime.sleep(60)\n"))
    assert judge(task, tmp_path, seconds=0.3) == "the judge had no answer after 0.3 s"


def test_a_changed_starting_file_fails(tmp_path: Path) -> None:
    task = TASKS["planted/invoice_total"]
    make_workspace(task, tmp_path)
    solve(task, tmp_path)
    (tmp_path / "invoices" / "b.txt").rename(tmp_path / "invoices" / "paid.txt")
    assert judge(task, tmp_path) == "invoices/b.txt was changed"
