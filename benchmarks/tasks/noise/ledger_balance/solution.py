import re
from pathlib import Path

left = 500
for verb, amount in re.findall(r"^(PAID|GOT) (\d+) ", Path("ledger.txt").read_text(), flags=re.M):
    left += int(amount) if verb == "GOT" else -int(amount)
Path("balance.txt").write_text(f"{left}\n")
