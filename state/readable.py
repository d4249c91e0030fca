"""Text that can be kept: in UTF-8, and in a database."""


def is_readable(text: str) -> bool:
    """Whether it holds neither a NUL nor half a character, which no database keeps."""
    return "\0" not in text and not any("\ud800" <= char <= "\udfff" for char in text)
