from pathlib import Path

from judging import equal, gone, kept, lines, text

equal([str(path) for path in Path().rglob("*.tmp")], [], ".tmp files")
gone("report_final_v2.txt")
equal(text("report.txt").rstrip(), "All is well.", "report.txt")
wanted = ["order new badges", "call the printer", "water the fig"]
equal([line.strip() for line in lines("todo.txt")], wanted, "todo.txt")
kept("a.tmp", "sub/b.tmp", "sub/deep/c.tmp", "report_final_v2.txt")
