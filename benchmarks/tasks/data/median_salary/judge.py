import statistics
from collections import defaultdict

from judging import check, data, equal, given_rows, kept, near

pay = defaultdict(list)
for row in given_rows("salaries.csv"):
    pay[row["department"]].append(int(row["salary"]))
found = data("stats.json")
check(isinstance(found, dict), "stats.json is no object")
equal(sorted(found), sorted(pay), "departments")
for name, of in pay.items():
    check(isinstance(found[name], dict), f"{name} is no object")
    equal(set(found[name]), {"count", "median"}, name)
    equal(found[name]["count"], len(of), f"count of {name}")
    near(found[name]["median"], statistics.median(of), f"median of {name}")
kept()
