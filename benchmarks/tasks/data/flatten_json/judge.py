import json

from judging import equal, given, kept, table

wanted = [
    [str(d["id"]), d["info"]["name"], d["owner"]["name"], d["owner"]["mail"], str(len(d["ports"]))]
    for d in json.loads(given("devices.json"))["devices"]
]
equal(table("devices.csv", ["id", "name", "owner_name", "owner_mail", "ports"]), wanted, "rows")
kept()
