from judging import kept, tests

kept("textkit.py")
tests("test_text.py")
