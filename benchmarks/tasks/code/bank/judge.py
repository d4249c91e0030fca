from judging import probe

probe("""
from account import Account
one, two = Account(), Account()
assert one.balance == 0 and one.history == []
one.deposit(50)
one.withdraw(20)
one.deposit(5)
assert one.balance == 35, one.balance
for call, amount in ((one.deposit, 0), (one.deposit, -3), (one.withdraw, 0), (one.withdraw, -1),
                     (one.withdraw, 36)):
    try:
        call(amount)
    except ValueError:
        assert one.balance == 35, one.balance
        continue
    raise AssertionError(f"no ValueError for {call.__name__}({amount})")
one.withdraw(35)
assert one.balance == 0
wanted = [("deposit", 50), ("withdraw", 20), ("deposit", 5), ("withdraw", 35)]
assert [tuple(step) for step in one.history] == wanted, one.history
assert two.history == [] and two.balance == 0, "accounts share their state"
""")
