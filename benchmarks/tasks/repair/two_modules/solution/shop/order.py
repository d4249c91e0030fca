from shop.prices import with_tax


def order_total(lines, discount=0):
    total = sum(with_tax(price, kind) * count for kind, price, count in lines)
    return round(total * (1 - discount / 100), 2)
