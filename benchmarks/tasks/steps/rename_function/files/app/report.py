from app.source import get_data


def report():
    """One line about what get_data gives."""
    return ", ".join(f"{name}={count}" for name, count in get_data())
