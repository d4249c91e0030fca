from shop.order import order_total


def test_counts():
    assert order_total([("books", 10, 3)]) == 32.1


def test_discount_is_percent():
    assert order_total([("other", 100, 1)], discount=10) == 107.1


def test_empty():
    assert order_total([]) == 0
