"""What a query gives, as it was meant, and the file that is written from it."""

from typing import Any

import pytest

from replan.tools.tables.querying import Job, QueryError, answered, written
from replan.tools.tables.reading import tables_in

TABLES = tables_in(
    {
        "orders.csv": "order,group,price,day\n1,a,2.50,2024-01-31\n2,b,3.10,2024-02-01\n",
        "people.csv": "id,name\n1,Ada\n2,Bert\n",
        "库存.csv": "商品,数量\n书包,3\n",
        "fees.csv": "who,fee,to\n1,10.00,x\n1,2.50,y\n",
        "mixed.csv": "m\n5\n3.50\n0.00001\n",
        "sqlite_a.csv": "between\n1\n",
    }
)


def text_of(query: str, path: str = "out.csv", **more: Any) -> str:
    job = Job((), query, path, **more)
    return written(answered(TABLES, job), job, TABLES)


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("SELECT name FROM people ORDER BY name DESC;", "Bert\nAda\n"),
        ("SELECT order FROM orders ORDER BY order DESC", "2\n1\n"),
        ("SELECT o.order FROM orders o GROUP BY o.group", "1\n2\n"),
        ("SELECT group FROM orders WHERE 'order' = 'order'", "a\nb\n"),
        ("SELECT LEFT(name, 1) FROM people", "A\nB\n"),
        ("SELECT RIGHT(name, 2) FROM people", "da\nrt\n"),
        ("SELECT CONCAT(name, ':', id) FROM people", "Ada:1\nBert:2\n"),
        ("SELECT name FROM people WHERE name REGEXP '^B'", "Bert\n"),
        ("SELECT MONTH(day) FROM orders WHERE YEAR(day) = 2024 AND DAY(day) = 1", "2\n"),
        ("SELECT MEDIAN(id) FROM people", "1.5\n"),
        ("SELECT 商品 FROM 库存 WHERE 数量 < 5 INTO 补货.txt;", "书包\n"),
        ("SELECT name FROM people INTO OUTFILE 'x.txt'", "Ada\nBert\n"),
        ("SELECT name FROM people.csv", "Ada\nBert\n"),
        ("SELECT p.name FROM people p JOIN orders o ON o.order = p.id WHERE p.price > 3", "Bert\n"),
        ("SELECT AVG(id) FROM people;\n-- Then:\nSELECT name FROM people;\n-- done", "Ada\nBert\n"),
        ("SELECT name, id FROM people LIMIT 1", "Ada 1\n"),
        ("SELECT 0.1 + 0.2", "0.3\n"),
        ("SELECT NULL, 1", " 1\n"),
        ("SELECT m FROM mixed", "5\n3.5\n0.00001\n"),
        ("SELECT fee / 4 FROM fees", "2.5\n0.625\n"),
        ("SELECT f.to FROM fees f WHERE f.to = 'y' OR f.to = 'look into it'", "y\n"),
        ("SELECT fees.to -- the city's\nFROM fees WHERE fees.to = 'x'", "x\n"),
        ("SELECT [order] FROM orders", "1\n2\n"),
        ("SELECT a.between FROM _a a", "1\n"),
        ("SELECT p.name FROM people p JOIN fees f ON f.who = p.id WHERE f.fee IS NULL", "Bert\n"),
    ],
)
def test_what_is_meant_is_found(query: str, text: str) -> None:
    assert text_of(query, "out.txt") == text


def test_the_header_is_the_one_that_is_wanted() -> None:
    query = "SELECT price AS total, order FROM orders LIMIT 1"
    assert text_of(query) == "total,order\n2.5,1\n"
    assert text_of(query, columns=["a", "b"]) == "a,b\n2.5,1\n"
    assert text_of(query, columns=["order", "total"]) == "order,total\n1,2.5\n"
    assert text_of(query, columns=["Total"]) == "Total\n2.5\n"
    assert text_of(query, columns=["order", "sum"]) == "order,sum\n1,2.5\n"
    with pytest.raises(QueryError, match=r"gives 2 columns \(total, order\), and wanted are 3: a,"):
        text_of(query, columns=["a", "b", "c"])


def test_a_column_that_is_sorted_by_is_left_out_of_lines() -> None:
    query = "SELECT name, id FROM people ORDER BY id DESC"
    assert text_of(query, "out.txt", first_column=True) == "Bert\nAda\n"


def test_decimals_are_those_of_the_goal_or_of_the_column() -> None:
    assert text_of("SELECT price FROM orders") == "price\n2.50\n3.10\n"
    assert text_of("SELECT AVG(price) AS price FROM orders") == "price\n2.80\n"
    assert text_of("SELECT AVG(price) / 3 AS price FROM orders") == "price\n0.9333333333\n"
    assert text_of("SELECT fee FROM fees", decimals=1) == "fee\n10.00\n2.50\n"
    assert text_of("SELECT SUM(fee) AS fee FROM fees WHERE fee > 5") == "fee\n10.00\n"
    assert text_of("SELECT AVG(id) AS mean, 3 AS n FROM people", decimals=1) == "mean,n\n1.5,3\n"


def test_json_and_cells_that_need_quotes() -> None:
    assert text_of("SELECT 'a, b' AS x, 'c\"' AS y") == 'x,y\n"a, b","c"""\n'
    assert (
        text_of("SELECT name FROM people LIMIT 1", "a.json")
        == '[\n  {\n    "name": "Ada"\n  }\n]\n'
    )
    assert text_of("SELECT 1 AS x, 'a' AS y", "a.tsv") == "x\ty\n1\ta\n"


@pytest.mark.parametrize(
    ("query", "wrong"),
    [
        ("SELECT nope FROM people", "no such column: nope. There are the tables fees("),
        ("SELECT name FROM people WHERE id > 9", "the query gives no rows"),
        ("CREATE TABLE x (y)", "that is no SELECT"),
        ("ATTACH 'x.db' AS x", "not authorized"),
        ("SELECT order FROM people", "no such column: order"),
        ("SELEC 1", 'near "SELEC": syntax error'),
        ("", "that is no SELECT"),
        ("SELECT name FROM people WHERE name REGEXP '('", "user-defined function raised exception"),
        ("SELECT SUM(9223372036854775807 + id) FROM people, orders", "integer overflow"),
    ],
)
def test_what_is_wrong_is_said(query: str, wrong: str) -> None:
    try:
        text_of(query)
    except QueryError as error:
        assert str(error).startswith(wrong)  # noqa: PT017
    else:
        assert query.startswith("SELECT SUM")  # this SQLite adds such numbers as floats
