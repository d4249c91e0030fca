import pytest

from replan.nodes.select_tool.fenced import fenced, without_other_files, without_own_name


@pytest.mark.parametrize(
    ("answer", "content"),
    [
        ("```python\nprint(1)\n```", "print(1)\n"),
        ("```\na\nb\n```\n", "a\nb\n"),
        ("Here it is:\n\n```py\nx = 1\n```\n\nIt sets x.", "x = 1\n"),
        ("```\nshort\n```\nor\n```\nthe longer one\n```", "the longer one\n"),
        ("print(1)", "print(1)\n"),
        ("  42 \n", "42\n"),
        ("```python\nprint(1)\nprint(", "print(1)\nprint("),
        ("```python\ns = 'a ``` b'\n```", "s = 'a ``` b'\n"),
        ("```\n  indented\n```", "  indented\n"),
    ],
)
def test_the_block_is_taken_out(answer: str, content: str) -> None:
    assert fenced(answer) == content


def test_a_text_with_blocks_of_its_own_is_taken_whole() -> None:
    text = "# Title\n\n```python\nprint(1)\n```\n\nMore."
    assert fenced(f"```markdown\n{text}\n```", nested=True) == f"{text}\n"
    assert fenced("```markdown\nplain\n```", nested=True) == "plain\n"


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("best.txt\nB7\n", "B7\n"),
        ("`best.txt`:\n\nB7\n", "B7\n"),
        ("out/best.txt\nB7\n", "B7\n"),
        ("# best.txt\nB7\n", "# best.txt\nB7\n"),
        ("best.txt\n", "best.txt\n"),
        ("best.txt is B7\nyes\n", "best.txt is B7\nyes\n"),
        ("B7\nbest.txt\n", "B7\nbest.txt\n"),
        ("", ""),
    ],
)
def test_a_file_does_not_begin_with_its_own_name(text: str, rest: str) -> None:
    assert without_own_name(text, "out/best.txt") == rest


def test_without_a_path_nothing_is_cut() -> None:
    assert without_own_name("\nprint(1)\n", "") == "\nprint(1)\n"


def test_another_file_behind_it_is_cut_off() -> None:
    def cut(text: str) -> str:
        return without_other_files(text, "a.ini", ["a.ini", "b.py"])

    assert cut("x = 1\n\nb.py holds:\ny = 2\n") == "x = 1\n"
    assert cut("b.py holds:\ny = 2\n") == "b.py holds:\ny = 2\n"
    assert cut("x\na.ini holds:\ny\n") == "x\na.ini holds:\ny\n"
    assert cut("x\nc.py holds:\nb.py\n") == "x\nc.py holds:\nb.py\n"
