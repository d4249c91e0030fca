import csv


def parse_line(line):
    return next(csv.reader([line]))


def parse(text):
    return list(csv.DictReader(text.splitlines()))
