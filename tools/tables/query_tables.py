"""A question in SQL to the tables of the workspace, with SQLite, in the sandbox.

What has to be found in tables, joined, grouped and sorted, takes a small model three lines of SQL,
most of them right, where its scripts have thirty, and a slip in some of them. SQLite comes with
Python; DuckDB would read the files itself, but is 20 MB more, and the model knows its SQL less.
"""

import asyncio
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any, ClassVar

from replan.state.task import Observation
from replan.tools.protection import is_protected
from replan.tools.protocol import CallContext, ToolError, schema
from replan.tools.python import observed, run_python
from replan.tools.sandbox.protocol import SCRATCH
from replan.tools.tables.querying import Job
from replan.tools.tables.reading import ENDINGS

_JOB = "job.json"
_PROGRAM = "querying.py"
_MOST_FILES = 500
_WRITTEN = (".csv", ".tsv", ".txt", ".json")


class QueryTables:
    """One SELECT over every table of the workspace; its result is shown, and written to a file."""

    name = "query_tables"
    description = (
        "run one SQLite SELECT over the CSV and JSON files of the workspace, each a table with "
        "the file's name, and write the result to a file"
    )
    parameters: ClassVar[dict[str, Any]] = schema(
        ["query"],
        query={"type": "string", "minLength": 1, "description": "one SELECT"},
        path={"type": "string", "description": "the file to write: .csv, .tsv, .txt or .json"},
        columns={
            "type": "array",
            "items": {"type": "string", "minLength": 1},
            "description": "the columns to write, as the header names them",
        },
        decimals={"type": "integer", "minimum": 0, "maximum": 9, "description": "of numbers"},
        first_column={"type": "boolean", "description": "write the first column alone"},
    )
    subject = "path"
    content = "query"
    content_language = "sql"
    runs_code = True
    runs_given_code = True
    all_or_nothing = True

    def unavailable(self) -> str:
        """Always available: SQLite comes with Python."""
        return ""

    def told_of(self, goal: str) -> bool:
        """Never by a line in a prompt: a small model then calls it in its scripts. Who calls tools
        natively has its schema, and the embedded model is asked for a query where one fits.
        """
        return False

    async def call(self, args: dict[str, Any], context: CallContext) -> Observation:
        """Run the query; nothing is written where it fails or gives no rows."""
        path = str(args.get("path") or "")
        if path and not path.endswith(_WRITTEN):
            raise ToolError(f"{path} is no table.", f"Write one of {', '.join(_WRITTEN)}.")
        workspace = context.workspace
        if path:
            kept = await asyncio.to_thread(is_protected, workspace, path, context.protected)
            if kept:
                raise ToolError(f"{path} must not be changed.", "Write another file.")
        existing = await workspace.files()
        files = [one for one in existing if one.endswith(ENDINGS) and one != path]
        if not files:
            raise ToolError(
                "The workspace holds no table.", f"Tables are files {', '.join(ENDINGS)}."
            )
        job = Job(
            files[:_MOST_FILES],
            str(args["query"]),
            path,
            args.get("columns") or (),
            args.get("decimals"),
            bool(args.get("first_column")),
        )
        sources = await asyncio.to_thread(_program)
        finished = await run_python(
            (f"{SCRATCH}/{_PROGRAM}", f"{SCRATCH}/{_JOB}"),
            context,
            {**sources, _JOB: json.dumps(asdict(job))},
            # The program's own modules, and none of the workspace with the name of one of them.
            {"PYTHONPATH": ""},
        )
        return await asyncio.to_thread(observed, finished, workspace, {})


def _program() -> dict[str, str]:
    """The program and the module beside it, which is its own there and no part of replan."""
    folder = Path(__file__).parent
    files = {name: (folder / name).read_text("utf-8") for name in (_PROGRAM, "reading.py")}
    return {name: text.replace("replan.tools.tables.", "") for name, text in files.items()}
