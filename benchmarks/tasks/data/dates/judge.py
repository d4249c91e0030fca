import datetime

from judging import equal, given_rows, kept, table


def iso(day: str) -> str:
    form = "%d/%m/%Y" if "/" in day else "%Y-%m-%d" if "-" in day else "%d %b %Y"
    return datetime.datetime.strptime(day, form).date().isoformat()


wanted = [[r["visitor"], iso(r["date"]), r["minutes"]] for r in given_rows("visits.csv")]
equal(table("visits_iso.csv", ["visitor", "date", "minutes"]), wanted, "visits_iso.csv")
kept()
