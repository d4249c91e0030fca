RATES = {"books": 0.07, "food": 0.07, "other": 0.19}


def with_tax(price, kind):
    return round(price * (1 + RATES.get(kind, RATES["other"])), 2)
