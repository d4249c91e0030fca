def page_count(items, size):
    """How many pages are needed for so many items."""
    return items // size


def page_of(index, size):
    """On which page, counted from 1, the item with this index (counted from 0) is."""
    return index // size


def items_on(page, items, size):
    """The indexes of the items on a page."""
    first = (page - 1) * size
    return list(range(first, first + size))
