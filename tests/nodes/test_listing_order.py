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
        ("x = [a for a in p.glob('*')]\n", "x = [a for a in sorted(p.glob('*'))]\n"),
        (
            "for i, a in enumerate(d.iterdir(), 1): f()",
            "for i, a in enumerate(sorted(d.iterdir()), 1): f()",
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
    ],
)
def test_leaves_the_rest(code: str) -> None:
    assert with_sorted_listings(code) == code
