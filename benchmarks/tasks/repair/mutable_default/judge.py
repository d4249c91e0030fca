from judging import kept, tests

kept("cart.py")
tests("test_cart.py")
