"""What do strategies cost on goals of several sources? With the embedded model.

    .venv/bin/python benchmarks/strategies.py [--goals staff prices] [--json FILE] [--keep DIR]

Each goal needs facts out of several files, which no prompt shows by itself, and is run once by each
strategy in a folder and with an empty memory of its own. Printed are, for each run, whether the
judge passed it, its model calls, steps, tokens and seconds; and for each strategy the share of the
model calls that the first one took. The exit code is 0 when `rewoo` and `compiler` take at most
half the model calls of `react` and pass as many goals.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

STRATEGIES = ("react", "rewoo", "compiler")
STEPS, SECONDS = 14, 300


@dataclass(frozen=True)
class Goal:
    """A goal, its files, and its judge: "" when it is reached, else why not. `documents` are kept
    outside the workspace, for `search_documents`.
    """

    name: str
    text: str
    files: dict[str, str]
    judge: Callable[[Path, str], str]
    documents: bool = False


STAFF = {
    "berlin": 118, "cairo": 342, "lagos": 210, "lima": 187, "oslo": 96, "osaka": 265,
    "paris": 301, "pune": 415, "quito": 77, "riga": 54,
}  # fmt: skip
PRICES = {
    "basic": 9, "club": 31, "family": 17, "museum": 48, "office": 39, "school": 22, "solo": 5,
    "studio": 27, "team": 64, "trial": 0,
}  # fmt: skip
STOCK = {
    "北京": 1240, "成都": 870, "广州": 1985, "杭州": 660, "南京": 940, "上海": 1730, "深圳": 1120,
    "天津": 505, "武汉": 780, "西安": 615,
}  # fmt: skip
HEADS = {
    "archive": "Rita Duarte", "backup": "Tomas Weiss", "billing": "Farah Nadim",
    "catalogue": "Yuki Mori", "garden": "Paul Okello", "invoices": "Greta Lind",
    "library": "Ana Popescu", "newsletter": "Samir Haddad", "payroll": "Eva Novak",
    "website": "Juan Ortiz",
}  # fmt: skip
OPENED = {
    "harbour museum": 1934, "botanical garden": 1887, "town theatre": 1911, "river bath": 1962,
    "observatory": 1978, "market hall": 1899,
}  # fmt: skip


AROUND = """\
This page is kept by the people it is about. Who finds a mistake in it tells the office, which mends
it within the week. What is printed may be older than what stands here.

Visitors come in by the main door and leave their coats and bags on the left. Dogs stay outside. The
lift is being repaired; whoever cannot use the stairs rings the bell and is met there.
"""
BELOW = """\
Letters are answered in the order in which they come, and calls at once. Nobody has to give a name
to ask a question, and a question costs nothing.

The rooms can be rented for an evening. The chairs are put back afterwards, the windows closed, and
the key left where it was found. Music ends before the neighbours go to bed.

Suggestions are read at the meeting in spring, and again in autumn by those who were not there. What
is decided is written down here, below the older decisions, which hold until somebody changes them.
"""
AROUND_ZH = """\
本页由相关人员自行维护。如发现错误，请告知办公室，一周之内会更正。打印的内容可能比这里的旧。

来访者从正门进入，外套和包放在左边，宠物请留在门外。电梯正在维修，不便走楼梯的人请按铃，会有人来接。
"""
BELOW_ZH = "来信按收到的先后回复，来电当时答复。提问不需要留下姓名，也不收取任何费用。\n" * 8


def _page(title: str, fact: str, around: str = AROUND, below: str = BELOW) -> str:
    """A page with its fact below the first lines: it has to be looked up."""
    return f"# {title}\n\n{around}\n{fact}\n\n{below}\n{around}\n{below}"


def _each(report: str, wanted: Mapping[str, int]) -> str:
    """Each name with its own number: in a part of a sentence that names no other, or behind the
    name, before the next one.
    """
    report = re.sub(r"(?<=\d),(?=\d)", "", report)
    parts = re.split(r"[,.;，。；、\n]|\band\b", report)
    for name, number in wanted.items():
        others = "|".join(re.escape(other) for other in wanted if other != name)
        said = [re.split(others, after)[0] for after in re.split(re.escape(name), report)[1:]]
        said += [part for part in parts if name in part and not re.search(others, part)]
        if not any(re.search(rf"(?<!\d){number}(?!\d)", one) for one in said):
            return f"the report does not say {number} of {name}"
    return ""


def _staff(folder: Path, report: str) -> str:
    return _each(report, {site.title(): STAFF[site] for site in ("cairo", "lima", "oslo", "pune")})


def _prices(folder: Path, report: str) -> str:
    wanted = {plan: PRICES[plan] for plan in ("basic", "school", "team")}
    try:
        found = json.loads((folder / "prices.json").read_text())
    except (OSError, ValueError) as error:
        return f"prices.json: {error}"
    return "" if found == wanted else f"{found} is not {wanted}"


def _heads(folder: Path, report: str) -> str:
    try:
        lines = (folder / "heads.txt").read_text().splitlines()
    except OSError as error:
        return f"heads.txt: {error}"
    for name in ("backup", "invoices", "newsletter"):
        if not any(name in line.lower() and HEADS[name] in line for line in lines):
            return f"no line says that {name} is {HEADS[name]}'s"
    return "" if len([line for line in lines if line.strip()]) <= 5 else "it holds more than asked"


def _stock(folder: Path, report: str) -> str:
    return _each(report, {city: STOCK[city] for city in ("北京", "上海", "广州")})


def _opened(folder: Path, report: str) -> str:
    places = ("harbour museum", "botanical garden")
    return _each(report.lower(), {place: OPENED[place] for place in places})


GOALS = [
    Goal(
        "staff",
        "How many people are on staff at each of the sites Cairo, Lima, Oslo and Pune?",
        {
            f"{site}.md": _page(
                site.title(), f"Our site in {site.title()} has {count} people on staff."
            )
            for site, count in STAFF.items()
        },
        _staff,
    ),
    Goal(
        "prices",
        "Write the monthly prices of the plans basic, school and team to prices.json, an object "
        "from plan to number",
        {
            f"plan_{plan}.txt": _page(plan, f"The plan {plan} costs {price} euros a month.")
            for plan, price in PRICES.items()
        },
        _prices,
    ),
    Goal(
        "heads",
        "Write to heads.txt who is responsible for backup, invoices and newsletter: a line for "
        "each, with the service and the name of the person",
        {
            f"service_{name}.md": _page(f"The service {name}", f"Responsible: {head}")
            for name, head in HEADS.items()
        },
        _heads,
    ),
    Goal(
        "stock",
        "北京、上海和广州三个仓库目前的库存各有多少件？",
        {
            f"仓库_{city}.md": _page(f"{city}仓库", f"目前库存：{n} 件。", AROUND_ZH, BELOW_ZH)
            for city, n in STOCK.items()
        },
        _stock,
    ),
    Goal(
        "opened",
        "Search the documents: in which years were the harbour museum and the botanical garden "
        "opened?",
        {
            f"{place.replace(' ', '_')}.md": _page(
                f"The {place}", f"The {place} was opened in {year}. It has been rebuilt twice."
            )
            for place, year in OPENED.items()
        },
        _opened,
        documents=True,
    ),
]


def run(goal: Goal, strategy: str, home: Path, keep: Path | None) -> dict[str, Any]:
    """One run, and what it cost."""
    folder = Path(tempfile.mkdtemp(prefix=f"{goal.name}-{strategy}-", dir=keep))
    workspace, documents = folder / "workspace", folder / "documents"
    workspace.mkdir()
    documents.mkdir()
    for name, text in goal.files.items():
        (documents if goal.documents else workspace).joinpath(name).write_text(text)
    options = ["--set", f"documents={documents}"] if goal.documents else []
    command = [
        *(sys.executable, "-m", "replan.cli.main", "run", goal.text, "--json"),
        *("--workspace", str(workspace), "--strategy", strategy),
        *("--max-steps", str(STEPS), "--max-seconds", str(SECONDS)),
        *("--set", "recall=none", "--set", "remember=none", *options),
    ]
    started = time.monotonic()
    with (folder / "log").open("w") as log:
        done = subprocess.run(
            command,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            timeout=SECONDS + 300,
            check=False,
            env={**os.environ, "REPLAN_HOME": str(home)},
        )
    try:
        result = json.loads(done.stdout)
    except ValueError:
        result = {"status": f"exit {done.returncode}", "usage": {}, "report": ""}
    (folder / "result.json").write_text(json.dumps(result, indent=1, ensure_ascii=False))
    usage = result["usage"]
    fault = goal.judge(workspace, result["report"])
    return {
        "passed": not fault,
        "fault": fault,
        "status": result["status"],
        "thread": result.get("thread_id", ""),
        "calls": usage.get("model_calls", 0),
        "steps": usage.get("steps", 0),
        "tokens": usage.get("input_tokens", 0) + usage.get("output_tokens", 0),
        "seconds": round(time.monotonic() - started, 1),
    }


def table(rows: dict[str, dict[str, dict[str, Any]]], names: list[str]) -> list[str]:
    """A line a goal, and the sums."""
    lines = [f"| goal | {' | '.join(names)} |", "| --- |" + " --- |" * len(names)]
    for goal, of in rows.items():
        cells = [
            f"{'pass' if one['passed'] else 'FAIL'} {one['calls']} calls, {one['steps']} st, "
            f"{one['tokens']} tok, {one['seconds']:.0f} s"
            for one in (of[name] for name in names)
        ]
        lines.append(f"| {goal} | {' | '.join(cells)} |")
    sums = [summed(rows, name) for name in names]
    cells = [
        f"{one['passed']} of {len(rows)}, {one['calls']} calls, {one['seconds']:.0f} s"
        for one in sums
    ]
    return [*lines, f"| all | {' | '.join(cells)} |"]


def summed(rows: dict[str, dict[str, dict[str, Any]]], name: str) -> dict[str, Any]:
    """Passes, model calls and seconds of a strategy over all goals."""
    of = [row[name] for row in rows.values()]
    return {key: sum(one[key] for one in of) for key in ("passed", "calls", "seconds", "tokens")}


def main() -> int:
    """Print the table. Returns the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--goals", nargs="*", help="which; default: all")
    parser.add_argument("--strategies", nargs="*", default=list(STRATEGIES))
    parser.add_argument("--json", type=Path, help="write all figures to this file")
    parser.add_argument("--keep", type=Path, help="keep the folders, logs and threads here")
    asked = parser.parse_args()
    goals = [goal for goal in GOALS if not asked.goals or goal.name in asked.goals]
    rows: dict[str, dict[str, dict[str, Any]]] = {}
    with tempfile.TemporaryDirectory(prefix="replan-bench-") as made:
        home = asked.keep / "home" if asked.keep else Path(made)
        home.mkdir(exist_ok=True, parents=True)
        home.chmod(0o711)  # else root keeps the database elsewhere
        Path(made).chmod(0o711)
        for goal in goals:
            rows[goal.name] = {}
            for strategy in asked.strategies:
                row = rows[goal.name][strategy] = run(goal, strategy, home, asked.keep)
                print(
                    f"{goal.name:8} {strategy:10} {'pass' if row['passed'] else 'FAIL'} "
                    f"{row['status']:8} {row['calls']:3} calls {row['steps']:3} steps "
                    f"{row['tokens']:6} tokens {row['seconds']:6.1f} s {row['thread']} "
                    f"{row['fault']}",
                    flush=True,
                )
    print("\n".join(table(rows, asked.strategies)))
    first, *others = [summed(rows, name) for name in asked.strategies]
    shares = {
        name: round(one["calls"] / first["calls"], 3)
        for name, one in zip(asked.strategies[1:], others, strict=True)
    }
    print(json.dumps({f"model calls against {asked.strategies[0]}": shares}))
    if asked.json:
        asked.json.write_text(json.dumps(rows, indent=1, ensure_ascii=False))
    as_good = all(one["passed"] >= first["passed"] for one in others)
    return 0 if as_good and all(share <= 0.5 for share in shares.values()) else 1


if __name__ == "__main__":
    raise SystemExit(main())
