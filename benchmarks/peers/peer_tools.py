"""The tools that a user would give an agent for a folder: files, Python, and documents."""

import argparse
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

_MOST_CHARS = 8_000
_CALL_SECONDS = 30


def arguments() -> argparse.Namespace:
    """The goal, the limits, and the folder of documents if there is one. The time runs from here:
    at its end the agent leaves its files as they are, as `replan` does.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("goal")
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--seconds", type=float, default=225)
    parser.add_argument("--documents", type=Path)
    asked = parser.parse_args()
    clock = threading.Timer(asked.seconds, _time_is_up)
    clock.daemon = True
    clock.start()
    return asked


def _time_is_up() -> None:
    # With os.write: smolagents catches what the model's code prints, and so might hold sys.stdout.
    os.write(1, json.dumps({"status": "max_seconds"}).encode() + b"\n")
    os._exit(1)


def list_files() -> str:
    """List the files of the working folder.

    Returns:
        One path a line.
    """
    found = sorted(str(path) for path in Path().rglob("*") if path.is_file())
    return "\n".join(found)[:_MOST_CHARS] or "there are no files"


def read_file(path: str) -> str:
    """Read a text file.

    Args:
        path: The file's path.

    Returns:
        Its text, or what went wrong.
    """
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")[:_MOST_CHARS]
    except (OSError, ValueError) as error:
        return f"error: {error}"


def write_file(path: str, content: str) -> str:
    """Write a text file; replaces what was there.

    Args:
        path: The file's path.
        content: The whole text.

    Returns:
        Whether it was written.
    """
    try:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text(content, encoding="utf-8")
    except (OSError, ValueError) as error:
        return f"error: {error}"
    return f"{path} is written"


def run_python(code: str) -> str:
    """Run Python code in a new process in the working folder.

    Args:
        code: The code; print what is to be seen.

    Returns:
        What it printed, errors included.
    """
    try:
        done = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_CALL_SECONDS,
        )
    except subprocess.TimeoutExpired:
        return f"error: it ran longer than {_CALL_SECONDS} s"
    except (OSError, ValueError) as error:  # which would end langgraph's agent
        return f"error: {error}"
    return (done.stdout + done.stderr)[-_MOST_CHARS:] or f"exit code {done.returncode}, no output"


def document_tool(folder: Path) -> Callable[[str], str]:
    """A tool that searches the documents of a folder."""

    def search_documents(query: str) -> str:
        """Search the documents for passages that hold the words of a question.

        Args:
            query: The words to look for.

        Returns:
            The best passages, each with its file.
        """
        words = set(re.findall(r"\w+", query.lower()))
        scored = []
        for path in sorted(one for one in folder.rglob("*") if one.is_file()):
            text = path.read_text(encoding="utf-8", errors="replace")
            for passage in re.split(r"\n\s*\n", text):
                score = len(words & set(re.findall(r"\w+", passage.lower())))
                if score:
                    scored.append((score, f"{path.name}: {passage.strip()}"))
        scored.sort(key=lambda one: -one[0])
        return "\n\n".join(text for _, text in scored[:5])[:_MOST_CHARS] or "nothing was found"

    return search_documents


def tools_for(documents: Path | None) -> list[Callable[..., str]]:
    """All tools of a task."""
    tools: list[Callable[..., str]] = [list_files, read_file, write_file, run_python]
    return [*tools, document_tool(documents)] if documents else tools
