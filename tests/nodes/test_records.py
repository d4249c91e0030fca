"""What the prompt tells of records: the place and form of each field, and no more than is so."""

import pytest

from replan.nodes.records import describe_records

LOG = [
    f"2026-01-02 0{at % 10}:00:01 {('INFO', 'WARN')[at % 2]} {said}"
    for at, said in enumerate(["all went well", "it did not go"] * 10)
]
ACCESS = [
    f"10.0.0.{at} - {('GET', 'POST')[at % 2]} /page/{at} {(200, 404)[at % 2]} 1.5"
    for at in range(20)
]


@pytest.mark.parametrize(
    ("path", "rows", "told"),
    [
        (
            "a.log",
            LOG,
            [
                "Not a CSV file: read it line by line; parts = line.split() gives:",
                "parts[0] = '2026-01-02'  # %Y-%m-%d in every line",
                "parts[1] = '00:00:01'  # %H:%M:%S",
                "parts[2] = 'INFO'  # one of INFO, WARN",
                "parts[3:] = words",
            ],
        ),
        (
            "access.log",
            ACCESS,
            [
                "Not a CSV file: read it line by line; parts = line.split() gives:",
                "parts[0] = '10.0.0.0'  # IP address",
                "parts[1] = '-'  # in every line",
                "parts[2] = 'GET'  # one of GET, POST",
                "parts[3] = '/page/0', ...",
                "parts[4] = '200'  # whole number",
                "parts[5] = '1.5'  # number",
            ],
        ),
        ("a.csv", ['id,"full, name"', "1,Ada"], ["pandas.read_csv('a.csv') has the columns id"]),
        ("a.tsv", ["id\tname", "1\tAda"], ["pandas.read_csv('a.tsv', sep='\\t') has the columns"]),
        ("a.jsonl", ['{"id": 1, "ok": true}'] * 3, ["json.loads(line) has the keys id, ok"]),
        ("a.log", ["", "  "], []),
    ],
)
def test_records(path: str, rows: list[str], told: list[str]) -> None:
    text = describe_records(path, rows)
    for line in told:
        assert line in text
    assert len(text.splitlines()) == max(1, len(told)) if text else not told


def test_a_record_that_is_no_record() -> None:
    assert describe_records("a.jsonl", ["[" * 100_000] * 2).startswith("Not a CSV file")


def test_words_of_free_text_are_given_no_place() -> None:
    rows = [f"{at} {' '.join(['word'] * (at % 5 + 1))}" for at in range(20)]
    assert describe_records("notes.txt", rows).splitlines()[1:] == [
        "parts[0] = '0'  # whole number",
        "parts[1] = 'word'  # in every line",
        "parts[2:] = words",
    ]


def test_long_values_and_long_lines_stay_short() -> None:
    assert len(describe_records("a.log", [f"{'x' * 5000} {'y' * 5000}"] * 30)) < 400
    assert len(describe_records("a.csv", ["x" * 200_000, "1"])) < 400
