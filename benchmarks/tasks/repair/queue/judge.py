from judging import kept, tests

kept("ring.py")
tests("test_ring.py")
