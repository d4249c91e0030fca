from collections import Counter

from judging import data, equal, kept, lines

total = Counter()
for place in data("库存.json"):
    total.update(place["商品"])
low = sorted((count, name) for name, count in total.items() if count < 20)
kept()
equal([line.strip() for line in lines("补货.txt")], [name for _, name in low], "补货.txt")
