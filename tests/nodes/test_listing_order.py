"""Listings of folders that a script takes as they come."""

import pytest

from replan.nodes.select_tool.listing_order import with_sorted_listings


@pytest.mark.parametrize(
    ("code", "sorted_code"),
    [
        (
            "for a in os.listdir('in'):\n    f(a)\n",
            "for a in sorted(os.listdir('in')):\n    f(a)\n",
        ),
        ("x = [a for a in p.glob('*')]\n", "x = [a for a in sorted(p.glob('*'), key=str)]\n"),
        (
            "for i, a in enumerate(d.iterdir(), 1): f()",
            "for i, a in enumerate(sorted(d.iterdir(), key=str), 1): f()",
        ),
        ("names = glob.glob('*.txt')\n", "names = sorted(glob.glob('*.txt'))\n"),
        (
            "合集 = [文 for 文 in os.listdir('笔记')]",
            "合集 = [文 for 文 in sorted(os.listdir('笔记'))]",
        ),
        (
            "for a in os.listdir('a'):\n    for b in os.listdir(a): f(a, b)\n",
            "for a in sorted(os.listdir('a')):\n    for b in sorted(os.listdir(a)): f(a, b)\n",
        ),
    ],
)
def test_goes_by_name(code: str, sorted_code: str) -> None:
    assert with_sorted_listings(code) == sorted_code
    assert with_sorted_listings(sorted_code) == sorted_code


@pytest.mark.parametrize(
    "code",
    [
        "for a in sorted(os.listdir('in'), reverse=True): f(a)",
        "files = p.glob('*')\nfirst = next(files)\n",
        "for a in rows: f(a)",
        "for a in os.listdir('in'",
        "if 'a' in os.listdir('.'): f()",
        "for a, b, c in os.walk('.'): f(a)",
        "async def f():\n    return [p async for p in d.iterdir()]\n",
        "for a in os.listdir('in'):\r    f(a)\r",
    ],
)
def test_leaves_the_rest(code: str) -> None:
    assert with_sorted_listings(code) == code


def test_a_listing_in_another_is_left_to_it() -> None:
    code = "for a in glob.glob([b for b in os.listdir('x')][0]): f(a)"
    assert with_sorted_listings(code) == (
        "for a in sorted(glob.glob([b for b in os.listdir('x')][0])): f(a)"
    )
