"""Where a workspace holds the code that replan itself runs, which nothing in it may then change.

That code runs outside the sandbox: its packages, the interpreter, the program that confines, and
the cache, in which the sandbox's environment lies. A virtual environment in the project's folder
is the usual case.
"""

import os
import sys
import sysconfig
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePath

from replan.state.settings import settings

_PACKAGES = Path(__file__).parents[1]
# In a clone, tests and documents lie beside these. Listed now: later it may be closed to us.
_NAMES = [path.name for path in _PACKAGES.iterdir() if os.path.isfile(path / "__init__.py")]  # noqa: PTH113
_MOST_LINKS = 40


@dataclass(frozen=True)
class OwnCode:
    """The part of replan's own code that lies in a workspace.

    Attributes:
        kept: real files and folders that must not be written; none lies in another.
        above: folders between the workspace and these. They can be written, but renaming one
            would put another in its place. Outer ones first.
        refusal: why code must not be run in the workspace at all; "" when it may.
    """

    kept: tuple[Path, ...] = ()
    above: tuple[Path, ...] = ()
    refusal: str = ""

    def holds(self, place: PurePath) -> bool:
        """Whether what is there must not be written."""
        return any(place.is_relative_to(one) for one in self.kept)

    def moves_with(self, place: PurePath) -> bool:
        """Whether moving or removing what is there would concern it."""
        return self.holds(place) or any(one.is_relative_to(place) for one in self.kept)


def own_code_in(workspace: Path) -> OwnCode:
    """What of it lies in a workspace. Blocks, the first time.

    Args:
        workspace: a real path.
    """
    return _found(workspace, str(settings().replan_cache.expanduser().absolute()))


@lru_cache(maxsize=64)
def _found(workspace: Path, cache: str) -> OwnCode:
    kept: list[Path] = []
    links: list[Path] = []
    for named in _used(cache):
        passed, real = _way(named)
        links += [link for link in passed if link.is_relative_to(workspace)]
        if real.is_relative_to(workspace) and os.path.lexists(real):
            kept.append(real)
    found, kept = sorted(set(kept), key=lambda path: len(path.parts)), []
    for outer in found:
        if not any(outer.is_relative_to(other) for other in kept):
            kept.append(outer)
    loose = [link for link in links if not any(link.is_relative_to(path) for path in kept)]
    above = {up for path in kept for up in path.parents if up != workspace}
    return OwnCode(
        (*kept, *dict.fromkeys(loose)),
        tuple(
            sorted(
                (up for up in above if up.is_relative_to(workspace)),
                key=lambda path: len(path.parts),
            )
        ),
        _refusal(workspace, kept, loose, cache),
    )


def _refusal(workspace: Path, kept: list[Path], loose: list[Path], cache: str) -> str:
    if workspace in kept:
        return "the workspace is a folder from which replan itself runs"
    for folder in (*_imported(), os.path.join(cache, "sandbox")):  # noqa: PTH118
        if workspace.is_relative_to(os.path.realpath(folder)):
            return f"the workspace lies in {folder}, from which replan itself runs"
    if loose:
        return f"replan itself runs from a folder to which the workspace's link {loose[0]} leads"
    first = [path for path in _first_on_path() if not any(map(path.is_relative_to, kept))]
    if any(path.is_relative_to(workspace) for path in first):
        return "Python would look into the workspace for replan's own modules first"
    return ""


def _used(cache: str) -> list[str]:
    """All from which code is run, as it is named."""
    prefixes = [sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix]
    # Installers link files of their cache into what they install.
    uv = os.environ.get("UV_CACHE_DIR") or os.path.join(  # noqa: PTH118
        os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"),  # noqa: PTH111
        "uv",
    )
    own = getattr(sys, "_base_executable", "") or sys.executable
    return [*prefixes, sys.executable, own, cache, uv, *_imported()]


def _imported() -> list[str]:
    """Folders from which replan and what it needs are imported."""
    packages = [str(_PACKAGES / name) for name in _NAMES]
    named = [sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    # Where replan lies installed, all beside it is imported too; in a clone nothing else is.
    installed = [path for path in sys.path if Path(path).name in ("site-packages", "dist-packages")]
    return [*packages, *named, *installed]


def _first_on_path() -> list[Path]:
    """Folders that come before the standard library where modules are looked for."""
    stdlib = os.path.realpath(sysconfig.get_path("stdlib"))
    found: list[Path] = []
    for path in sys.path:
        real = os.path.realpath(path or ".")
        if real == stdlib:
            break
        found.append(Path(real))
    own = os.path.realpath(sysconfig.get_path("scripts"))
    return [path for path in found if path.suffix != ".zip" and str(path) != own]


def _way(path: str) -> tuple[list[Path], Path]:
    """The links on the way to a path, where they really lie, and where it leads."""
    waiting = list(reversed(Path(path).parts))
    here = Path("/")
    links: list[Path] = []
    while waiting:
        part = waiting.pop()
        if part in ("/", ".."):
            here = Path("/") if part == "/" else here.parent
            continue
        below = here / part
        # What is closed to us (OSError) is none of ours to change either.
        if os.path.islink(below) and len(links) < _MOST_LINKS:  # noqa: PTH114
            links.append(below)
            waiting += reversed(below.readlink().parts)
        else:
            here = below
    return links, here
