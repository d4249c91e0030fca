"""What of a research report's citations holds, and what the check keeps out, by the real model.

    .venv/bin/python benchmarks/research_report.py [--goals N] [--model auto] [--json FILE]

Each goal is a `replan research` of its own over the sixty-odd documents of tests/data. Counted are
the statements that the model made, those that its own check turned down, and, by other means than
the product's, the citations whose document contains the passage and whose passage contains the
figures of the statement. Exit code 0: every citation does.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import unicodedata
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).parents[1]
sys.path.insert(0, str(PROJECT / "tests"))

from documents_asked import write_documents  # noqa: E402

REPLAN = [sys.executable, "-m", "replan.cli.main"]
GOALS = [
    "Write a report on looking after a bicycle",
    "撰写一篇关于在公司入职、休假与离职的报告",
    "Write a report on the rules for money at work: pension, expenses and invoices",
    "研究并撰写一篇关于泡茶的详细报告",
]


def squeezed(text: str) -> str:
    """Letters and figures alone."""
    return "".join(
        sign for sign in unicodedata.normalize("NFKC", text).casefold() if sign.isalnum()
    )


def resolves(citation: dict[str, Any], documents: Path) -> bool:
    """Whether the document contains the passage, and that the statement's figures."""
    file = documents / citation["source"]
    text = file.read_text(encoding="utf-8") if file.is_file() else ""
    inside = squeezed(citation["passage"]) in squeezed(text)
    figures = re.findall(r"[0-9]+", citation["claim"])
    known = citation["passage"]
    # A figure may stand there as a word; then it is for a person to look.
    words = bool(re.search(r"[a-z]+|[一二三四五六七八九十百千]", known))
    return inside and all(figure in known or words for figure in figures)


def measured(goal: str, documents: Path, home: Path, model: str) -> dict[str, Any]:
    """One report."""
    began = time.monotonic()
    done = subprocess.run(
        [*REPLAN, "research", goal, "--documents", str(documents), "--model", model, "--json"],
        cwd=home,
        env={**os.environ, "REPLAN_HOME": str(home)},
        capture_output=True,
        text=True,
    )
    seconds = time.monotonic() - began
    if not done.stdout:
        return {"goal": goal, "status": f"error {done.returncode}", "error": done.stderr[-500:]}
    result = json.loads(done.stdout)
    quoted = [one for one in result["citations"] if one["claim"][:1] in "“「«"]
    return {
        "goal": goal,
        "status": result["status"],
        "sections": len({one["section"] for one in result["citations"]}),
        "citations": len(result["citations"]),
        "resolve": sum(resolves(one, documents) for one in result["citations"]),
        "quoted": len(quoted),
        "turned_down": [one["problem"] for one in result["dropped"]],
        "model_calls": result["usage"]["model_calls"],
        "seconds": round(seconds, 1),
        "report": result["report"],
    }


def main() -> int:
    """Print a line for each goal. Returns the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--goals", type=int, default=len(GOALS), help="how many of the goals")
    parser.add_argument("--model", default="auto")
    parser.add_argument("--json", type=Path, help="write all figures and reports to this file")
    asked = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory(prefix="replan-bench-") as made:
        home, documents = Path(made), Path(made, "documents")
        home.chmod(0o711)
        print(f"{write_documents(documents)} documents")
        for goal in GOALS[: asked.goals]:
            row = measured(goal, documents, home, asked.model)
            rows.append(row)
            if "error" in row:
                print(f"{row['status']}: {row['error']}")
                continue
            turned = len(row["turned_down"])
            print(
                f"{row['status']:8} {row['resolve']} of {row['citations']} citations resolve "
                f"({row['quoted']} as quotations), {turned} statements turned down, "
                f"{row['sections']} sections, {row['model_calls']} model calls, "
                f"{row['seconds']} s: {goal}",
                flush=True,
            )
    if asked.json:
        asked.json.write_text(json.dumps(rows, ensure_ascii=False, indent=1), encoding="utf-8")
    return 0 if all(row.get("resolve") == row.get("citations") for row in rows) else 1


if __name__ == "__main__":
    raise SystemExit(main())
