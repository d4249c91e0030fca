from judging import probe

probe("""
from duration import parse_duration
known = {"1h30m": 5400, "45s": 45, "2h": 7200, "1h2m3s": 3723, "90m": 5400, "0s": 0, "10h5s": 36005}
for text, seconds in known.items():
    assert parse_duration(text) == seconds, (text, parse_duration(text))
for text in ("", "5", "h", "3s2m", "1h1h", "1d", "1h 2m", "-1s", "abc", "1.5h"):
    try:
        found = parse_duration(text)
    except ValueError:
        continue
    raise AssertionError(f"no ValueError for {text!r}: {found}")
""")
