class Account:
    def __init__(self):
        self.balance = 0
        self.history = []

    def deposit(self, amount):
        if amount <= 0:
            raise ValueError("amount must be above zero")
        self.balance += amount
        self.history.append(("deposit", amount))

    def withdraw(self, amount):
        if amount <= 0 or amount > self.balance:
            raise ValueError("amount cannot be withdrawn")
        self.balance -= amount
        self.history.append(("withdraw", amount))
