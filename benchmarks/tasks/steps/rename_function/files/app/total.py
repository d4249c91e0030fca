from app import source


def total():
    return sum(count for _, count in source.get_data())
