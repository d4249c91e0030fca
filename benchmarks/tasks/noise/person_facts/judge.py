from judging import check, data, equal, kept

found = data("marta.json")
check(isinstance(found, dict), "marta.json is no object")
found = {key: str(value).strip().lower() for key, value in found.items()}
equal(found, {"city": "ghent", "dog": "pepper", "colour": "violet"}, "marta.json")
kept()
