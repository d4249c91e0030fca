"""The options and arguments that several commands share."""

from typing import Annotated

import typer

Model = Annotated[str | None, typer.Option(help="auto, embedded, or a model name of the server.")]
Sets = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="NAME=VALUE",
        help="Who plays a role (plan=dag), or any other setting of a run (max_memory_mb=512, "
        "documents=DIR). Repeatable.",
    ),
]
Strategy = Annotated[
    str | None, typer.Option(metavar="NAME", help="A way of working: see `replan strategies`.")
]
MaxSteps = Annotated[int | None, typer.Option(min=1, help="Tool calls the run may make.")]
MaxSeconds = Annotated[int | None, typer.Option(min=1, help="Seconds the run may take.")]
MaxTokens = Annotated[int | None, typer.Option(min=0, help="Tokens it may use; 0: no limit.")]
MaxCost = Annotated[float | None, typer.Option(min=0, help="US dollars it may cost.")]
_RULE_HELP = "Approval rule: allow:TOOL, ask:TOOL(PATTERN) or deny:TOOL(PATTERN). Repeatable."
Sandbox = Annotated[str | None, typer.Option(help="Sandbox for Python; default: auto.")]
Rules = Annotated[
    list[str] | None, typer.Option("--approve", "--rule", metavar="RULE", help=_RULE_HELP)
]
# `resume --approve` is an answer.
ResumeRules = Annotated[list[str] | None, typer.Option("--rule", metavar="RULE", help=_RULE_HELP)]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")]
ThreadArgument = Annotated[str, typer.Argument(metavar="THREAD", help="The thread's id.")]
CHECKPOINT = "A checkpoint's id, an unambiguous part of it (best its end), or head."
Full = Annotated[bool, typer.Option("--full", help="Long texts whole.")]
