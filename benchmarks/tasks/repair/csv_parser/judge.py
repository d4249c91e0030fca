from judging import kept, tests

kept("parse.py")
tests("test_parse.py")
