def mean(numbers):
    return sum(numbers) / len(numbers)


def mode(numbers):
    return max(sorted(set(numbers)), key=numbers.count)
