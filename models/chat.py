"""Which chat model a run uses, and its client: OpenAI, a compatible server, or the embedded one."""

import asyncio
import contextlib
import importlib
import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from replan.models.failures import translated
from replan.models.local_server import local_server, require_local, start_local_server
from replan.models.patience import MOST_RETRIES, give_up_in_time
from replan.models.prices import cost
from replan.models.weights import Progress, find_source
from replan.state.errors import ModelUnavailableError, SettingError
from replan.state.settings import settings

if TYPE_CHECKING:
    from langchain_openai import ChatOpenAI

Provider = Literal["openai", "server", "embedded"]

OPENAI_URL = "https://api.openai.com/v1"
# OpenAI's own replacement for gpt-5-mini, which ends in December 2026: good at agents' work,
# takes chat completions, tools and JSON schemas, 1 and 5 dollars a million tokens.
DEFAULT_OPENAI_MODEL = "gpt-6.1-terra"
EMBEDDED = "embedded"
NO_KEY = "not-needed"
PREFLIGHT_SECONDS = 5.0
ANSWER_SECONDS = {"openai": 300.0, "server": 600.0, "embedded": 900.0}
LISTED = 20
_TRAITS = ("temperature", "reasoning_output")


@dataclass(frozen=True)
class ModelChoice:
    """A model and its server. `name` is "" while only the server knows what it serves."""

    provider: Provider
    name: str
    base_url: str = ""


@dataclass
class ChatModel:
    """A client that is ready to be asked.

    `refused` collects the request parameters that the server does not take, so that each is
    learned once.
    """

    client: "ChatOpenAI"
    name: str
    provider: Provider
    base_url: str = ""
    refused: set[str] = field(default_factory=set)

    @property
    def traits(self) -> dict[str, Any]:
        """What the form of a question depends on: the provider, and two things of its profile."""
        profile: Mapping[str, Any] = self.client.profile or {}
        return {
            "provider": self.provider,
            "profile": {name: profile[name] for name in _TRAITS if profile.get(name) is not None},
        }


_opened: dict[tuple[str, ModelChoice], ChatModel] = {}
_resolved: dict[tuple[str, ModelChoice], ModelChoice] = {}
_opening = threading.Lock()


def choose(name: str = "auto") -> ModelChoice:
    """The model that `name` stands for, by the settings alone: nothing is asked or loaded.

    Raises:
        SettingError: a model name of a server is given, but neither key nor address.
    """
    if not name.strip():
        raise SettingError(
            "The model's name is empty.", "Use 'auto', 'embedded' or a model's name."
        )
    if name == EMBEDDED:
        return ModelChoice("embedded", EMBEDDED)
    now = settings()
    url = _address(now.openai_base_url or "")
    wanted = now.openai_model or "" if name == "auto" else name
    if url and url != OPENAI_URL:
        return ModelChoice("server", wanted, url)
    if now.openai_api_key:
        return ModelChoice("openai", wanted or DEFAULT_OPENAI_MODEL, OPENAI_URL)
    if name == "auto":
        return ModelChoice("embedded", EMBEDDED)
    raise SettingError(
        f"There is no model {name!r} without a server. There are: auto, embedded.",
        "For others set OPENAI_API_KEY or OPENAI_BASE_URL.",
    )


def _address(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("")
    if url and (parts.scheme not in ("http", "https") or not parts.hostname):
        raise SettingError(
            f"OPENAI_BASE_URL is no address of a server: {url!r}.",
            "It looks like http://127.0.0.1:8000/v1.",
        )
    return url.rstrip("/")


async def preflight(name: str = "auto") -> ModelChoice:
    """Check quickly (5 s at most) that the model can be used, without asking it anything.

    Returns:
        The choice with the model's real name.

    Raises:
        ModelUnavailableError: the server is not there, or refuses the key; or the embedded
            model is not installed.
        SettingError: the server does not have the model.
        WeightsError: `REPLAN_MODEL_PATH` names no file.
    """
    choice = choose(name)
    if choice.provider == "embedded":
        await asyncio.to_thread(require_local)
        await asyncio.to_thread(find_source)
        return choice
    return await _resolve(choice)


async def open_chat_model(name: str = "auto", progress: Progress | None = None) -> ChatModel:
    """The chat model that `name` stands for; built once per process.

    Args:
        name: "auto", "embedded", or a model's name at the server.
        progress: called with what is being done and the fraction of it, while the embedded
            model's weights are made and loaded; from another thread.

    Raises:
        ModelUnavailableError, SettingError, WeightsError: the model cannot be used.
    """
    choice = choose(name)
    if choice.provider == "embedded":
        server = await local_server(progress)
        choice = ModelChoice("embedded", EMBEDDED, server.url)
        return await asyncio.to_thread(_open, choice, server.key)
    if not choice.name:
        # Every node asks for the model; the server is asked once.
        choice = _resolved.get((_key(), choice)) or await _resolve(choice)
    return await asyncio.to_thread(_open, choice, _key())


def chat_model_at(base_url: str, name: str, key: str = NO_KEY) -> ChatModel:
    """The model of a server on this machine, for once: no settings, no proxies, no retries. Blocks.

    Args:
        base_url: ending in /v1.
        name: of the model.
        key: what the server asks for.
    """
    choice = ModelChoice("embedded", name, base_url)
    return ChatModel(_build(choice, key), name, "embedded", base_url)


async def _resolve(choice: ModelChoice) -> ModelChoice:
    """Ask the server which model the choice is."""
    found = _resolved[_key(), choice] = _among(choice, await _served(choice))
    return found


def require_price(max_cost: float, model: ModelChoice | ChatModel) -> None:
    """A limit in dollars can only be held where the model's price is known.

    Raises:
        SettingError: it is not.
    """
    if max_cost and model.provider != "embedded" and cost(model.name, 0, 0) is None:
        raise SettingError(
            f"no price is known for {model.name}, so --max-cost cannot hold.", "Use --max-tokens."
        )


WARMING_UP = "replan warms up"  # its threads' name


def warm_up(name: str = "auto") -> None:
    """Begin in the background what takes longest before the first call; return at once.

    Loads the embedded model, when it is the one to use and its weights are in place (making them
    is for `open_chat_model`, which shows progress), and imports the client. Whatever goes wrong
    comes up again, and is reported, when the model is opened.
    """

    def load() -> None:
        with contextlib.suppress(Exception):
            if choose(name).provider == "embedded" and find_source().kind in ("path", "cache"):
                start_local_server()

    def fetch() -> None:
        with contextlib.suppress(Exception):
            importlib.import_module("langchain_openai")

    for work in (load, fetch):
        threading.Thread(target=work, name=WARMING_UP, daemon=True).start()


def _key() -> str:
    key = settings().openai_api_key
    return key.get_secret_value() if key else NO_KEY


def _open(choice: ModelChoice, key: str) -> ChatModel:
    """Blocks: importing and building the client reads files."""
    with _opening:
        if (key, choice) not in _opened:
            client = _build(choice, key)
            _opened[key, choice] = ChatModel(client, choice.name, choice.provider, choice.base_url)
        return _opened[key, choice]


def _build(choice: ModelChoice, key: str) -> "ChatOpenAI":
    import httpx2
    import jsonschema  # noqa: F401  (imported here, so that no event loop has to wait for it)
    import openai
    from langchain_openai import ChatOpenAI
    from pydantic import SecretStr

    # A connection is closed after each answer: one that is kept belongs to one event loop, and
    # this client serves all of the process. Calls are seconds apart, so little is lost.
    limits = httpx2.Limits(max_keepalive_connections=0)
    embedded = choice.provider == "embedded"
    options: dict[str, Any] = {"limits": limits, "trust_env": not embedded}
    if choice.base_url.startswith("http://"):
        # No certificates are read where none is needed; an address that led to TLS would fail.
        options["verify"] = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return ChatOpenAI(
        model=choice.name,
        base_url=choice.base_url,
        api_key=SecretStr(key),
        timeout=ANSWER_SECONDS[choice.provider],
        max_retries=0 if embedded else MOST_RETRIES,
        use_responses_api=False,
        stream_usage=True,
        http_socket_options=(),  # else it warns, where a proxy is set, of a transport not used
        http_client=openai.DefaultHttpxClient(**options),
        http_async_client=openai.DefaultAsyncHttpxClient(
            **options, event_hooks={"response": [give_up_in_time]}
        ),
    )


async def _served(choice: ModelChoice) -> list[str] | None:
    """The names that GET /models lists; None for a server without that list."""
    import openai

    chat = await asyncio.to_thread(_open, choice, _key())
    client = chat.client.root_async_client.with_options(timeout=PREFLIGHT_SECONDS, max_retries=0)
    try:
        async with asyncio.timeout(PREFLIGHT_SECONDS + 1):
            page = await client.models.list()
        return [model.id for model in page.data]
    except openai.NotFoundError:
        return None
    except Exception as error:
        raise translated(error, choice.name or "", choice.base_url) from error


def _among(choice: ModelChoice, served: list[str] | None) -> ModelChoice:
    if choice.name and (served is None or choice.name in served):
        return choice
    if not served:
        raise ModelUnavailableError(
            f"The server at {choice.base_url} does not say which models it has.",
            "Set OPENAI_MODEL, or choose with --model.",
        )
    if not choice.name:
        return ModelChoice(choice.provider, served[0], choice.base_url)
    more = f" and {len(served) - LISTED} more" if len(served) > LISTED else ""
    raise SettingError(
        f"The server at {choice.base_url} has no model {choice.name!r}.",
        f"It has: {', '.join(sorted(served)[:LISTED])}{more}.",
    )
