from judging import check, data, equal

found = data("approval.json")
check(isinstance(found, dict), "approval.json is no object")
equal(set(found), {"approver", "form"}, "the keys")
role = str(found["approver"]).lower().removeprefix("the ").strip()
equal(role, "finance director", "approver")
equal(str(found["form"]).lower().removeprefix("form ").strip(), "t-18", "form")
