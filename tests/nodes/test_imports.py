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


def test_a_future_import_stays_first() -> None:
    code = "from __future__ import annotations\nprint(re.sub)"
    assert with_imports(code) == code
