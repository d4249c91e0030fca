"""The keys and passwords that the settings hold, so that none gets to where it would stay."""

import re
from urllib.parse import unquote, urlsplit

from pydantic import SecretStr

from replan.state.settings import Settings, settings

# Shorter ones are no secrets, and would be found in ordinary text.
_LEAST_CHARS = 6
_PASSWORD = re.compile(r"\bpassword\s*=\s*(?:'((?:[^'\\]|\\.)*)'|(\S+))")


def secret_values(now: Settings | None = None) -> list[str]:
    """Every key, password and token of the settings, longest first.

    Args:
        now: the settings; None for those of this process.
    """
    now = now or settings()
    found: set[str] = set()
    for name in type(now).model_fields:
        value = getattr(now, name)
        if isinstance(value, SecretStr) and name != "database_url":
            found.add(value.get_secret_value())
    if now.database_url is not None:
        found |= _passwords(now.database_url.get_secret_value())
    for address in (now.openai_base_url, now.tavily_base_url, now.searxng_url):
        found |= _passwords(address or "")
    for server in now.replan_mcp.servers.values():
        found.update(server.secrets())
    return sorted((one for one in found if len(one) >= _LEAST_CHARS), key=len, reverse=True)


def holds_secret(text: str, now: Settings | None = None) -> bool:
    """Whether the text holds one of the configured keys or passwords.

    Args:
        text: what is to be kept or shown.
        now: the settings; None for those of this process.
    """
    return any(secret in text for secret in secret_values(now))


def _passwords(address: str) -> set[str]:
    """The password in an address, as it is written there and as it is meant. One that is also the
    name of the user or the database, as on many a developer's machine, keeps nobody out.
    """
    try:
        parts = urlsplit(address)
    except ValueError:  # no address; whoever uses it says so
        return set()
    if not parts.scheme:  # of libpq's other form: host=... password=...
        found = _PASSWORD.search(address)
        return (
            {(found[1] or found[2] or "").replace("\\'", "'").replace("\\\\", "\\")}
            if found
            else set()
        )
    written = parts.password or ""
    if unquote(written) in (parts.username, parts.path.strip("/")):
        return set()
    return {written, unquote(written)}
