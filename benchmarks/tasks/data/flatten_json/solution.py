import csv
import json
from pathlib import Path

with Path("devices.csv").open("w", newline="") as file:
    out = csv.writer(file)
    out.writerow(["id", "name", "owner_name", "owner_mail", "ports"])
    for d in json.loads(Path("devices.json").read_text())["devices"]:
        owner = d["owner"]
        out.writerow([d["id"], d["info"]["name"], owner["name"], owner["mail"], len(d["ports"])])
