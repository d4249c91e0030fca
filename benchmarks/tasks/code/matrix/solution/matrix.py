def transpose(m):
    return [list(row) for row in zip(*m, strict=True)]


def multiply(a, b):
    if len(a[0]) != len(b):
        raise ValueError("the shapes do not fit")
    return [
        [sum(x * y for x, y in zip(row, col, strict=True)) for col in transpose(b)] for row in a
    ]


def identity(n):
    return [[int(i == j) for j in range(n)] for i in range(n)]
