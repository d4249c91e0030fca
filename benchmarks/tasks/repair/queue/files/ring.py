class Ring:
    def __init__(self, size):
        self.size = size
        self.items = []

    def push(self, item):
        if len(self.items) > self.size:
            self.items.pop()
        self.items.append(item)

    def newest(self):
        return self.items[0]

    def oldest(self):
        return self.items[-1]

    def __len__(self):
        return self.size
