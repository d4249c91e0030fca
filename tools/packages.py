"""Which third-party packages a script may import here."""

from functools import lru_cache
from importlib.util import find_spec

_CANDIDATES = (
    "bs4",
    "lxml",
    "matplotlib",
    "networkx",
    "numpy",
    "openpyxl",
    "pandas",
    "PIL",
    "polars",
    "pypdf",
    "pytest",
    "requests",
    "scipy",
    "seaborn",
    "sklearn",
    "sympy",
    "tabulate",
    "yaml",
)


def importable() -> list[str]:
    """Import names of well-known packages that are installed, without importing any."""
    return list(_installed())


@lru_cache
def _installed() -> tuple[str, ...]:
    return tuple(name for name in _CANDIDATES if _found(name))


def _found(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except (ImportError, ValueError):
        return False
