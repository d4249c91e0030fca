"""Which third-party packages a script may import in the sandbox."""

from functools import lru_cache
from importlib.metadata import PackageNotFoundError, distribution

# Distribution by import name: what code for data work likes to import, and pytest for the tests.
PACKAGES = {
    "bs4": "beautifulsoup4",
    "lxml": "lxml",
    "matplotlib": "matplotlib",
    "networkx": "networkx",
    "numpy": "numpy",
    "openpyxl": "openpyxl",
    "pandas": "pandas",
    "PIL": "pillow",
    "polars": "polars",
    "pypdf": "pypdf",
    "pytest": "pytest",
    "scipy": "scipy",
    "seaborn": "seaborn",
    "sklearn": "scikit-learn",
    "sympy": "sympy",
    "tabulate": "tabulate",
    "yaml": "PyYAML",
}


def importable() -> list[str]:
    """Import names of the packages that the sandbox's environment holds."""
    return list(_installed())


@lru_cache
def _installed() -> tuple[str, ...]:
    return tuple(name for name, package in PACKAGES.items() if _found(package))


def _found(package: str) -> bool:
    try:
        return bool(distribution(package))
    except PackageNotFoundError:
        return False
