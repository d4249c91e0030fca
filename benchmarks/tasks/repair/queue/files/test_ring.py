import pytest

from ring import Ring


def test_forgets_the_oldest():
    ring = Ring(3)
    for n in range(5):
        ring.push(n)
    assert ring.items == [2, 3, 4]


def test_ends():
    ring = Ring(3)
    ring.push("a")
    ring.push("b")
    assert ring.oldest() == "a"
    assert ring.newest() == "b"


def test_length():
    ring = Ring(4)
    assert len(ring) == 0
    ring.push(1)
    assert len(ring) == 1


def test_size_must_be_positive():
    with pytest.raises(ValueError):
        Ring(0)
