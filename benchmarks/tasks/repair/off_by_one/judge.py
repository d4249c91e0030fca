from judging import kept, tests

kept("pages.py")
tests("test_pages.py")
