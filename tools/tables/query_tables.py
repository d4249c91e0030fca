"""A question in SQL to the tables of the workspace, with SQLite, in the sandbox.

What has to be found in tables, joined, grouped and sorted, takes a small model three lines of SQL,
most of them right, where its scripts have thirty, and a slip in some of them. SQLite comes with
Python; DuckDB would read the files itself, but is 20 MB more, and the model knows its SQL less.
"""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, ClassVar

from replan.state.task import Observation
from replan.tools.listing import MOST_FILES, walk
from replan.tools.protection import is_protected
from replan.tools.protocol import CallContext, ToolError, schema
from replan.tools.python import observed, run_python
from replan.tools.sandbox.protocol import SCRATCH
from replan.tools.tables.querying import Job
from replan.tools.tables.reading import ENDINGS, is_table
from replan.tools.workspace import Workspace

# In vain before a script is written instead.
MOST_QUERIES = 2
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
        files={
            "type": "array",
            "items": {"type": "string", "minLength": 1},
            "description": "the tables; without it, all there are",
        },
        path={"type": "string", "description": "the file to write: .csv, .tsv, .txt or .json"},
        columns={
            "type": "array",
            "items": {"type": "string", "minLength": 1},
            "description": "the columns to write, as the header names them",
        },
        decimals={"type": "integer", "minimum": 0, "maximum": 9, "description": "of numbers"},
        first_column={"type": "boolean", "description": "write the first column alone"},
    )
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

    def subjects(self, args: dict[str, Any], workspace: Workspace) -> list[str]:
        """The file that is written, and all that may be read. Blocking."""
        path = str(args.get("path") or "")
        return [*filter(None, [path]), *_tables(args, workspace)]

    async def call(self, args: dict[str, Any], context: CallContext) -> Observation:
        """Run the query; nothing is written where it fails or gives no rows."""
        path, workspace = str(args.get("path") or ""), context.workspace
        if path and not path.endswith(_WRITTEN):
            raise ToolError(f"{path} is no table.", f"Write one of {', '.join(_WRITTEN)}.")
        if bool(path) and await asyncio.to_thread(is_protected, workspace, path, context.protected):
            raise ToolError(f"{path} must not be changed.", "Write another file.")
        files = await asyncio.to_thread(_tables, args, workspace)
        if not files:
            raise ToolError(
                "The workspace holds no table.", f"Tables are files {', '.join(ENDINGS)}."
            )
        job = Job(
            files,
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


def _tables(args: Mapping[str, Any], workspace: Workspace) -> list[str]:
    """The tables that are named, or all but the one that is written. Blocking.

    Raises:
        ToolError: one of them leads out of the workspace.
    """
    if named := args.get("files"):
        return [workspace.inside(str(one)).as_posix() for one in named]
    path = str(args.get("path") or "")
    written = workspace.inside(path).as_posix() if path else ""
    there = sorted(one for one, _, _ in walk(workspace.path, MOST_FILES))
    return [one for one in there if is_table(one) and one != written][:_MOST_FILES]


def _program() -> dict[str, str]:
    """The program and the module beside it, which is its own there and no part of replan."""
    folder = Path(__file__).parent
    files = {name: (folder / name).read_text("utf-8") for name in (_PROGRAM, "reading.py")}
    return {name: text.replace("replan.tools.tables.", "") for name, text in files.items()}
