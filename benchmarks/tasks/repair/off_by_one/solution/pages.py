def page_count(items, size):
    return -(-items // size)


def page_of(index, size):
    return index // size + 1


def items_on(page, items, size):
    first = (page - 1) * size
    return list(range(first, min(first + size, items)))
