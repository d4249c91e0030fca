"""The addresses of the web that a text names."""

import re

_WHOLE = re.compile(r"\bhttps?://[^\s/]+\.[^\s<>\"'`]+", re.IGNORECASE)
_ADDRESS = re.compile(r"\bhttps?://[^\s/]+\.[^\s]", re.IGNORECASE)


def names_address(text: str) -> bool:
    """Whether the text holds an http or https address of a named host."""
    return bool(_ADDRESS.search(text))


def addresses_in(text: str) -> list[str]:
    """The addresses themselves, each once, without the marks of the sentence around them."""
    return list(dict.fromkeys(found.rstrip(".,;:!?)]}") for found in _WHOLE.findall(text)))
