import re

from judging import given, kept, near, text

left = 500
for verb, amount in re.findall(r"^(PAID|GOT) (\d+) ", given("ledger.txt"), flags=re.M):
    left += int(amount) if verb == "GOT" else -int(amount)
near(text("balance.txt"), left, "balance.txt", within=1e-9)
kept()
