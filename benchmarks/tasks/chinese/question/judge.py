from judging import check, data, equal

found = data("答案.json")
check(isinstance(found, dict), "答案.json is no object")
equal({key: str(value) for key, value in found.items()}, {"关门": "18", "借书": "12"}, "答案.json")
