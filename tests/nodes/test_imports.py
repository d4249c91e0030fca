"""Imports that a script lacks are added, and no others."""

import pytest

from replan.nodes.select_tool.imports import with_imports


@pytest.mark.parametrize(
    ("code", "added"),
    [
        ("print(re.sub('a', 'b', 'c'))", "import re\n"),
        ("import os\nprint(os.sep, json.dumps(1))", "import json\n"),
        ("import os.path\nprint(os.sep)", ""),
        ("import numpy as np\nprint(np.e, shutil.which('a'))", "import shutil\n"),
        ("print(Path('a').name)", "from pathlib import Path\n"),
        ("words = defaultdict(int)", "from collections import defaultdict\n"),
        ("print(datetime.strptime('1', '%d'))", "from datetime import datetime\n"),
        ("print(datetime.date(2024, 1, 1))", "import datetime\n"),
        ("from re import *\nprint(sub('a', 'b', 'c'), os.sep)", ""),
        ("def f(re):\n    return re.sub", ""),
        ("for string in 'ab':\n    print(string.upper())", ""),
        ("print(total.real)", ""),
        ("print(re", ""),
        ("", ""),
    ],
)
def test_what_is_added(code: str, added: str) -> None:
    assert with_imports(code) == added + code


@pytest.mark.parametrize(
    ("head", "rest"),
    [
        ("from __future__ import annotations\n", "print(re.sub)\n"),
        ("#!/usr/bin/env python\n# -*- coding: utf-8 -*-\n", "print(re.sub)\n"),
        ('"""Says what it is."""\nfrom __future__ import division\n', "\nprint(re.sub)\n"),
    ],
)
def test_what_has_to_stand_first_does(head: str, rest: str) -> None:
    assert with_imports(head + rest) == f"{head}import re\n{rest}"


def test_what_would_not_be_enough_is_not_added() -> None:
    for code in ("xml.etree.ElementTree.parse('a')", "urllib.request.urlopen('a')"):
        assert with_imports(code) == code
    both = "print(datetime.now(), datetime.date(2024, 1, 1))"
    assert with_imports(both) == both
