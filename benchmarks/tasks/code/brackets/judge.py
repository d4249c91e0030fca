from judging import check, probe, tests, text

probe("""
from brackets import balanced
for text in ("", "a", "()", "(a[b]{c})", "{[()]}", "x = f(a[0])", "()[]{}"):
    assert balanced(text) is True, text
for text in ("(", ")", "(]", "([)]", "{{}", "a)b(", "]["):
    assert balanced(text) is False, text
""")
tests("test_brackets.py")
check(text("test_brackets.py").count("def test") >= 3, "fewer than three tests")
check("balanced" in text("test_brackets.py"), "the tests do not call balanced")
