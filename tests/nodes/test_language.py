"""What a goal's language is called in a prompt."""

import pytest

from replan.nodes.language import language_of


@pytest.mark.parametrize(
    ("goal", "language"),
    [
        ("读取 sales.csv，汇总金额", "Chinese"),
        ("ファイルを読む", "Japanese"),
        ("파일을 읽어라", "Korean"),
        ("Прочитай файл", "Russian"),
        ("اقرأ الملف", "Arabic"),
        ("Read the file", "the language of the goal"),
        ("Lies die Datei", "the language of the goal"),
    ],
)
def test_language(goal: str, language: str) -> None:
    assert language_of(goal) == language
