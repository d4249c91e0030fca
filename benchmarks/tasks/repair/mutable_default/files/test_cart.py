from cart import Cart


def test_carts_are_separate():
    one, two = Cart(), Cart()
    one.add("pen", 2)
    assert two.items == []


def test_given_items_are_not_changed():
    given = [("ink", 4, 1)]
    cart = Cart(given)
    cart.add("pen", 2)
    assert given == [("ink", 4, 1)]
    assert len(cart.items) == 2


def test_total_counts():
    cart = Cart()
    cart.add("pen", 2, 3)
    cart.add("book", 10)
    assert cart.total() == 16


def test_cheapest():
    cart = Cart()
    cart.add("apple", 3)
    cart.add("zip", 1)
    assert cart.cheapest() == "zip"
