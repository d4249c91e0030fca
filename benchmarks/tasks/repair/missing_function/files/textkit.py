def shorten(text, width):
    """The text, cut to so many characters with ... at its end."""
    return text if len(text) <= width else text[: width - 3] + "..."
