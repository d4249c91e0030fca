"""Whether a text names an address of the web."""

import re

_ADDRESS = re.compile(r"\bhttps?://[^\s/]+\.[^\s]", re.IGNORECASE)


def names_address(text: str) -> bool:
    """Whether the text holds an http or https address of a named host."""
    return bool(_ADDRESS.search(text))
