"""The questions to tables: what is right passes, and nothing else."""

import csv
import io
from pathlib import Path

import pytest
from table_questions import Question, questions, write
from task_files import judge, load_task, make_workspace


@pytest.mark.parametrize("seed", [5, 6])
def test_there_are_fifteen_with_an_answer_each(seed: int) -> None:
    found = questions(seed)
    assert len(found) == 15
    assert all(one.wanted and one.path in one.goal for one in found)


@pytest.mark.parametrize("at", [0, 1, 12, 13, 14])
def test_what_is_right_passes_alone(tmp_path: Path, at: int) -> None:
    question = questions(5)[at]
    write(question, tmp_path / "tables" / "one")
    task = load_task(tmp_path / "tables" / "one")
    workspace = tmp_path / "workspace"
    make_workspace(task, workspace)
    assert judge(task, workspace) == "it is missing"
    (workspace / question.path).write_text(text_of(question), "utf-8")
    assert judge(task, workspace) == ""
    (workspace / question.path).write_text(f"{text_of(question)}more\n", "utf-8")
    assert "is not" in judge(task, workspace)


def text_of(question: Question) -> str:
    text = io.StringIO()
    header = [["header"]] if question.path.endswith(".csv") else []
    csv.writer(text, lineterminator="\n").writerows([*header, *question.wanted])
    return text.getvalue()
