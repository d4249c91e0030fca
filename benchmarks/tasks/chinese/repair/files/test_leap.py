from leap import days_in_month, is_leap


def test_is_leap():
    assert is_leap(2024)
    assert is_leap(2000)
    assert not is_leap(1900)
    assert not is_leap(2023)


def test_days_in_month():
    assert days_in_month(2023, 1) == 31
    assert days_in_month(2023, 4) == 30
    assert days_in_month(2023, 8) == 31
    assert days_in_month(2023, 9) == 30
    assert days_in_month(2023, 12) == 31


def test_february():
    assert days_in_month(2023, 2) == 28
    assert days_in_month(2024, 2) == 29
