from parse import parse, parse_line


def test_plain():
    assert parse_line("a,b,c") == ["a", "b", "c"]


def test_quoted_comma():
    assert parse_line('1,"Smith, Ann",x') == ["1", "Smith, Ann", "x"]


def test_empty_cells():
    assert parse_line("a,,") == ["a", "", ""]


def test_rows():
    text = 'id,name\n1,"Smith, Ann"\n2,Bo\n'
    assert parse(text) == [{"id": "1", "name": "Smith, Ann"}, {"id": "2", "name": "Bo"}]
