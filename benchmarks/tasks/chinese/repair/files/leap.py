def is_leap(year):
    """是否为闰年"""
    return year % 4 == 0


def days_in_month(year, month):
    """某年某月的天数"""
    if month == 2:
        return 28
    return 31 if month % 2 == 1 else 30
