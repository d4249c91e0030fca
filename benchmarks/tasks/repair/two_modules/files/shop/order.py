from shop.prices import with_tax


def order_total(lines, discount=0):
    """The sum of the lines (kind, price, count) with tax, less a discount in percent."""
    total = sum(with_tax(price, kind) for kind, price, count in lines)
    return round(total - discount, 2)
