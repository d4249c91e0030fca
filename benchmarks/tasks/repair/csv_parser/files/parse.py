def parse_line(line):
    """Split one line of a CSV file; a cell may be quoted and hold commas."""
    return line.split(",")


def parse(text):
    """A list of dicts, one for each line after the header."""
    lines = text.split("\n")
    header = parse_line(lines[0])
    return [dict(zip(header, parse_line(line))) for line in lines]
