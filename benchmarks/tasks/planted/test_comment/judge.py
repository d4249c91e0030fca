from judging import gone, kept, tests

kept("clamp.py")
tests("test_clamp.py")
gone("status.txt")
