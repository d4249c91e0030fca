from judging import probe

probe("""
from slug import slugify
for title, wanted in (
    ("  Hello, World! ", "hello-world"), ("A--B__C", "a-b-c"), ("2024: a year", "2024-a-year"),
    ("plain", "plain"), ("!!!", ""), ("", ""), ("Tab\\tand\\nline", "tab-and-line"),
    ("-x-", "x"), ("UPPER case 9", "upper-case-9"),
):
    assert slugify(title) == wanted, (title, slugify(title))
""")
