"""Lines that were stripped are written with their breaks."""

import pytest

from replan.nodes.select_tool.line_breaks import with_line_breaks

STRIPPED = "kept = [line.strip() for line in lines if line.strip()]\n"


@pytest.mark.parametrize(
    ("before", "given"),
    [
        (STRIPPED, "kept"),
        (STRIPPED, "sorted(kept)"),
        ("", "[line.rstrip() for line in lines]"),
        ("名 = [line.strip() for line in lines]\n", "名"),
    ],
)
def test_they_get_them_back(before: str, given: str) -> None:
    code = f"{before}with open('a.txt', 'w') as file:\n    file.writelines({given})\n"
    better = f"    file.writelines((f'{{line}}\\n' for line in {given}))\n"
    assert with_line_breaks(code) == f"{before}with open('a.txt', 'w') as file:\n{better}"
    assert with_line_breaks(better.strip()) == better.strip()


@pytest.mark.parametrize(
    "code",
    [
        "file.writelines(lines)\n",
        "kept = [line for line in lines]\nfile.writelines(kept)\n",
        "kept = [line.strip() + '\\n' for line in lines]\nfile.writelines(kept)\n",
        "kept = [line.strip('#') for line in lines]\nfile.writelines(kept)\n",
        f"{STRIPPED}kept.append('x\\n')\nfile.writelines(kept)\n",
        f"{STRIPPED}kept = other\nfile.writelines(kept)\n",
        f"{STRIPPED}for kept in other:\n    file.writelines(kept)\n",
        f"{STRIPPED}file.write('\\n'.join(kept))\n",
        "file.writelines(kept\n",
    ],
)
def test_what_may_have_them_is_left(code: str) -> None:
    assert with_line_breaks(code) == code
