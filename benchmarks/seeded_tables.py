"""Tables of numbers in groups, made from a seed, and judges of what was computed of them."""

import csv
import io
import json
import random
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Table:
    """A CSV file with a column that names a group and one that holds a number.

    Attributes:
        name: of the file.
        group: the column of groups.
        value: the column of numbers.
        groups: what they may be.
        seed: another makes other numbers.
    """

    name: str
    group: str
    value: str
    groups: tuple[str, ...]
    seed: int

    def make(self, folder: Path) -> None:
        """Write it."""
        draw = random.Random(self.seed)
        lines = [f"id,{self.group},{self.value}"]
        lines += [f"{n},{draw.choice(self.groups)},{draw.uniform(2, 400):.2f}" for n in range(150)]
        (folder / self.name).write_text("\n".join(lines) + "\n")

    def judge_totals(self, folder: Path, out: str) -> str:
        """Whether a markdown table holds the sum of each group; else what is wrong."""
        report = text_of(folder / out)
        if "|" not in report or "--" not in report:
            return f"{out} holds no markdown table"
        for key, values in values_of(folder / self.name, self.group, self.value).items():
            line = next((line for line in report.splitlines() if key in line), "")
            if not any(abs(number - sum(values)) < 0.011 for number in numbers_of(line)):
                return f"{key}: {sum(values):.2f} is not in {line!r}"
        return ""

    def judge_averages(self, folder: Path, out: str) -> str:
        """Whether a CSV file holds the mean of each group; else what is wrong."""
        values = values_of(folder / self.name, self.group, self.value)
        rows = [row for row in csv.reader(io.StringIO(text_of(folder / out))) if row]
        if not rows or [cell.strip() for cell in rows[0]] != [self.group, "average"]:
            return f"the header is {rows[:1]}"
        try:
            found = {row[0]: float(row[1]) for row in rows[1:] if len(row) == 2}
        except ValueError as error:
            return str(error)
        if set(found) != set(values):
            return f"{sorted(found)} is not {sorted(values)}"
        wrong = [key for key, of in values.items() if abs(found[key] - sum(of) / len(of)) > 0.011]
        return f"wrong: {wrong}" if wrong else ""

    def judge_objects(self, folder: Path, out: str) -> str:
        """Whether a JSON file holds an object for each row; else what is wrong."""
        try:
            found = json.loads(text_of(folder / out))
        except ValueError as error:
            return f"{out}: {error}"
        rows = rows_of(folder / self.name)
        if not isinstance(found, list) or len(found) != len(rows):
            return f"{out} is no list of {len(rows)} objects"
        for one, row in zip(found, rows, strict=True):
            if not isinstance(one, dict) or set(one) != set(row):
                return f"{one} is not {row}"
            if any(str(one[k]) != v for k, v in row.items() if "." not in v):
                return f"{one} is not {row}"
        return ""


def text_of(path: Path) -> str:
    """What a file holds, "" where there is none."""
    return path.read_text(encoding="utf-8-sig") if path.is_file() else ""


def rows_of(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file."""
    return list(csv.DictReader(io.StringIO(text_of(path))))


def values_of(path: Path, group: str, value: str) -> dict[str, list[float]]:
    """The numbers of each group."""
    values: dict[str, list[float]] = defaultdict(list)
    for row in rows_of(path):
        values[row[group]].append(float(row[value]))
    return values


def numbers_of(line: str) -> list[float]:
    """What in a line reads as a number."""
    found = []
    for word in line.replace("|", " ").replace(",", " ").split():
        try:
            found.append(float(word))
        except ValueError:
            continue
    return found
