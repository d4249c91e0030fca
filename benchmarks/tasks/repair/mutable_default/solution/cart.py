class Cart:
    def __init__(self, items=()):
        self.items = list(items)

    def add(self, name, price, count=1):
        self.items.append((name, price, count))

    def total(self):
        return sum(price * count for name, price, count in self.items)

    def cheapest(self):
        return min(self.items, key=lambda item: item[1])[0]
