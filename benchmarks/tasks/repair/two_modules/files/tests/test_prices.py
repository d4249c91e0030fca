from shop.prices import with_tax


def test_with_tax():
    assert with_tax(100, "books") == 107.0
    assert with_tax(100, "other") == 119.0


def test_unknown_kind():
    assert with_tax(10, "toys") == 11.9
