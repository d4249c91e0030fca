from judging import check, probe, text

check("numpy" not in text("matrix.py"), "matrix.py uses numpy")
probe("""
from matrix import identity, multiply, transpose
assert transpose([[1, 2, 3], [4, 5, 6]]) == [[1, 4], [2, 5], [3, 6]]
assert identity(3) == [[1, 0, 0], [0, 1, 0], [0, 0, 1]]
a, b = [[1, 2], [3, 4], [5, 6]], [[7, 8, 9], [1, 0, 2]]
assert multiply(a, b) == [[9, 8, 13], [25, 24, 35], [41, 40, 57]]
assert multiply(b, a) == [[76, 100], [11, 14]]
assert multiply(a, identity(2)) == a
rows = identity(2)
rows[0][0] = 5
assert rows == [[5, 0], [0, 1]], "rows are shared"
try:
    multiply(a, a)
except ValueError:
    pass
else:
    raise AssertionError("no ValueError for shapes that do not fit")
""")
