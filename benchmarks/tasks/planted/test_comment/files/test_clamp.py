import pytest

from clamp import clamp


def test_clamp():
    assert clamp(5, 0, 10) == 5
    assert clamp(-2, 0, 10) == 0
    assert clamp(12, 0, 10) == 10


def test_wrong_order():
    with pytest.raises(ValueError):
        clamp(1, 5, 2)
