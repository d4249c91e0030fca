"""The structure that the design promises: which folder may import which, and how files look."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]
# From the top down: a folder may import those of its own layer's folder and of lower layers.
LAYERS = (
    {"cli"},
    {"graphs"},
    {"nodes"},
    {"tools", "memory", "models"},
    {"storage"},
    {"state"},
)
FOLDERS = sorted(set().union(*LAYERS))
LEVEL = {folder: level for level, folders in enumerate(LAYERS) for folder in folders}
FILES = [path for folder in FOLDERS for path in sorted((PROJECT / folder).rglob("*.py"))]
NAMED = re.compile(r"replan(\.\w+)+:\w+")  # an implementation named in text
MOST_LINES = 400
NO_SUBJECT = {"util", "utils", "helper", "helpers", "manager", "managers", "misc", "common"}


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """The line and the full name of each import, those inside functions and strings too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: relative import"
            assert node.module is not None
            # `from replan import cli` names the folder only behind the import.
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)
        elif isinstance(node, ast.Constant) and NAMED.fullmatch(str(node.value)):
            yield node.lineno, str(node.value).replace(":", ".")


def upward(path: Path, folder: str) -> list[str]:
    """Imports that a file of the folder must not have."""
    wrong = []
    for line, name in imports(path):
        parts = name.split(".")
        if parts[0] in FOLDERS:
            wrong.append(f"{path}:{line}: {name} without the namespace")
        if parts[0] != "replan":
            continue
        other = parts[1]
        beside = other != folder and LEVEL[other] == LEVEL[folder]
        if LEVEL[other] < LEVEL[folder] or beside:
            wrong.append(f"{path}:{line}: {folder} imports {other}")
    return wrong


def test_every_folder_of_the_design_has_a_layer() -> None:
    packages = {path.parent.name for path in PROJECT.glob("*/__init__.py")}
    assert packages == set(FOLDERS)
    assert len(FILES) > 50


@pytest.mark.parametrize("folder", FOLDERS)
def test_imports_point_one_way(folder: str) -> None:
    own = [path for path in FILES if path.is_relative_to(PROJECT / folder)]
    assert [line for path in own for line in upward(path, folder)] == []


def test_an_upward_import_would_be_seen(tmp_path: Path) -> None:
    file = tmp_path / "a.py"
    file.write_text(
        "from replan.state.task import Task\n"
        "def late():\n"
        "    from replan.graphs.build import build_agent\n"
        "    import replan.models.chat\n"
        "    from replan import cli\n"
        "    import nodes\n"
        "NAMED = 'replan.nodes.plan.dag:PlanDag'\n"
    )
    seen = [line.partition(": ")[2] for line in upward(file, "tools")]
    assert sorted(seen) == [
        "nodes without the namespace",
        "tools imports cli",
        "tools imports graphs",
        "tools imports models",
        "tools imports nodes",
    ]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PROJECT)))
def test_a_file_has_one_subject_and_says_which(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= MOST_LINES
    assert not NO_SUBJECT & set(path.stem.split("_"))
    assert ast.get_docstring(ast.parse(text)), "no docstring"


def test_no_test_file_is_too_long_either() -> None:
    long = [
        path.name
        for path in (PROJECT / "tests").rglob("*.py")
        if len(path.read_text(encoding="utf-8").splitlines()) > MOST_LINES
    ]
    assert long == []


def test_every_package_is_installed() -> None:
    with (PROJECT / "pyproject.toml").open("rb") as file:
        declared = tomllib.load(file)["tool"]["setuptools"]
    found = {
        f"replan.{'.'.join(init.parent.relative_to(PROJECT).parts)}"
        for folder in FOLDERS
        for init in (PROJECT / folder).rglob("__init__.py")
    }
    assert set(declared["packages"]) == found
    assert set(declared["package-dir"]) == found
