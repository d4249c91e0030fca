from judging import kept, tests

kept("leap.py")
tests("test_leap.py")
