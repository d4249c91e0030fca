from pathlib import Path

numbers = [int(line) for line in Path("numbers.txt").read_text().split()]
large = sorted(n for n in numbers if n > 50)
Path("sum.txt").write_text(f"{sum(numbers)}\n")
Path("triple.txt").write_text(f"{3 * sum(numbers)}\n")
Path("large.txt").write_text("\n".join(map(str, large)) + "\n")
Path("done.txt").write_text(f"{len(large)}\n")
