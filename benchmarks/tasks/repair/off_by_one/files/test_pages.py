from pages import items_on, page_count, page_of


def test_page_count():
    assert page_count(10, 5) == 2
    assert page_count(11, 5) == 3
    assert page_count(0, 5) == 0


def test_page_of():
    assert page_of(0, 5) == 1
    assert page_of(4, 5) == 1
    assert page_of(5, 5) == 2


def test_items_on():
    assert items_on(1, 12, 5) == [0, 1, 2, 3, 4]
    assert items_on(3, 12, 5) == [10, 11]
