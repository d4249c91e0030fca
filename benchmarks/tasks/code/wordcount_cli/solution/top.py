import re
import sys
from collections import Counter
from pathlib import Path

words = Counter(re.findall("[a-z]+", Path(sys.argv[1]).read_text().lower()))
for word, count in sorted(words.items(), key=lambda pair: (-pair[1], pair[0]))[: int(sys.argv[2])]:
    print(word, count)
