RECORDS = [("a", 3), ("b", 5), ("c", 4)]


def get_data():
    """All records."""
    return list(RECORDS)
