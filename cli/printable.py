"""Text of a model, a tool or a file, made fit for a terminal."""


def visible(text: str) -> str:
    """The text with all that is not printable, but for line ends and tabs, written as escapes:
    a control sequence could hide what a person is asked about, or write over what was said.
    """
    return "".join(
        char if char.isprintable() or char in "\n\t" else char.encode("unicode_escape").decode()
        for char in text
    )
