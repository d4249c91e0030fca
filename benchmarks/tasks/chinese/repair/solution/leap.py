import calendar


def is_leap(year):
    return calendar.isleap(year)


def days_in_month(year, month):
    return calendar.monthrange(year, month)[1]
