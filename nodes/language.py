"""The language of a goal, as far as its letters tell."""

import re

_SCRIPTS = (
    ("Japanese", re.compile(r"[\u3040-\u30ff]")),
    ("Korean", re.compile(r"[\uac00-\ud7af]")),
    ("Chinese", re.compile(r"[\u4e00-\u9fff]")),
    ("Russian", re.compile(r"[\u0400-\u04ff]")),
    ("Arabic", re.compile(r"[\u0600-\u06ff]")),
)


def language_of(text: str) -> str:
    """What to call the language in a prompt.

    A small model told "in the language of the goal" answers Chinese goals in English; told
    "Chinese", it does not. Languages in Latin letters are left to the model.
    """
    for name, letters in _SCRIPTS:
        if letters.search(text):
            return name
    return "the language of the goal"
