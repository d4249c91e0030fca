class Ring:
    def __init__(self, size):
        if size < 1:
            raise ValueError("size must be at least 1")
        self.size = size
        self.items = []

    def push(self, item):
        self.items.append(item)
        if len(self.items) > self.size:
            self.items.pop(0)

    def newest(self):
        return self.items[-1]

    def oldest(self):
        return self.items[0]

    def __len__(self):
        return len(self.items)
