from judging import equal, table

wanted = [
    ["Amir Saleh", "340"],
    ["Dario Conti", "219"],
    ["Nadia Petrov", "114"],
    ["Yuki Mori", "121"],
]
equal(table("phones.csv", ["name", "extension"]), wanted, "phones.csv")
