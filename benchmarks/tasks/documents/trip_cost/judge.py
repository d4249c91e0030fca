from judging import near, text

near(text("cost.txt").strip().lower().removesuffix("euros").strip(" €"), 933, "cost.txt")
