from brackets import balanced


def test_nested():
    assert balanced("{[()]}")


def test_crossed():
    assert not balanced("([)]")


def test_left_open():
    assert not balanced("(")
