"""What a run can be told: the model, who plays each role, and the limits."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from replan.state.approval import Rule, RuleText, parse_rule

NonNegative = Annotated[int, Field(ge=0)]
Positive = Annotated[int, Field(ge=1)]


class Context(BaseModel):
    """The settings of one run. Studio shows these fields as a form.

    A role takes the name of a built-in implementation, of an entry point, or `module:attribute`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str = Field(
        "auto",
        description="Chat model: 'auto' (OpenAI or OPENAI_BASE_URL when a key or address is set, "
        "otherwise embedded), 'embedded', or a model name of the server.",
    )
    workspace: str = Field(
        "", description="Folder to work in. Empty: a folder of the thread's own."
    )
    documents: str = Field(
        "", description="Folder of your own documents to search. Empty: REPLAN_DOCUMENTS, if set."
    )
    approvals: list[RuleText] = Field(
        [],
        max_length=100,
        description="Rules for tool calls beside those of the settings file, such as "
        "allow:web_search, ask:python(*), deny:write_file(*.md). Deny counts before ask, ask "
        "before allow.",
    )
    memory_user: str = Field(
        "",
        max_length=200,
        description="Whose memories a run recalls and adds to. Empty: the user whom the LangGraph "
        "server authenticated, REPLAN_MEMORY_USER, or 'default'.",
    )
    memory_project: str = Field(
        "",
        max_length=200,
        description="Of which project they are. Empty: REPLAN_MEMORY_PROJECT, or 'default'.",
    )
    strategy: str = Field(
        "",
        max_length=100,
        description="A way of working by name: it sets roles and limits that are not set here.",
    )
    recipe: str = Field(
        "",
        max_length=2000,
        description="For decompose=template: a recipe's name or file, and its values, such as "
        "weekly-report week=47. Empty: the goal says it, as 'recipe: weekly-report week=47'.",
    )
    recall: str = Field("store", description="Who recalls what earlier runs learned.")
    decompose: str = Field("llm", description="Who splits the goal into tasks.")
    plan: str = Field("sequence", description="Who orders the tasks, and replans.")
    select_tool: str = Field("json", description="Who chooses the next tool call of a task.")
    execute: str = Field("direct", description="Who carries out the tool call.")
    reflect: str = Field(
        "checks_then_llm", description="Who judges what came back from a tool call."
    )
    review: str = Field("checks", description="Who decides what happens after each round.")
    report: str = Field("llm", description="Who writes the report.")
    remember: str = Field("store", description="Who keeps what this run learned.")

    recall_tokens: NonNegative = Field(
        200, description="Tokens that memories may take in a prompt; 0 for none."
    )

    sandbox: Literal["auto", "bubblewrap", "landlock", "unsafe"] = Field(
        "auto",
        description="Where code runs: 'auto' (the first of bubblewrap and landlock that holds "
        "here), or one of them; 'unsafe' is none: code has all of your rights.",
    )
    max_call_seconds: Positive = Field(30, description="Seconds a tool call may take.")
    max_cpu_seconds: NonNegative = Field(
        0, description="CPU seconds a tool call may take; 0 for all cores all of its time."
    )
    max_memory_mb: Positive = Field(2048, description="Memory that code may use, in MB.")
    max_processes: Positive = Field(64, description="Processes that code may run at a time.")
    max_disk_mb: Positive = Field(1024, description="Disk that a tool call may take, in MB.")
    max_output_mb: Positive = Field(50, description="What code may print, in MB.")

    max_steps: Positive = Field(30, description="Tool calls a run may make.")
    max_seconds: Positive = Field(1800, description="Seconds a run may take.")
    max_tokens: NonNegative = Field(0, description="Tokens a run may use; 0 for no limit.")
    max_cost: float = Field(0.0, ge=0, description="US dollars a run may cost; 0 for no limit.")
    max_attempts: Positive = Field(3, description="Failed attempts a task may have.")
    max_replans: NonNegative = Field(2, description="How often a run may plan anew.")
    max_parallel: Positive = Field(2, description="Tasks dispatched side by side.")
    max_role_seconds: Positive = Field(
        120,
        description="Seconds that who plays a role may take for an answer, beside the time for the "
        "model and tools.",
    )
    best_of: Positive = Field(
        1,
        le=10,
        description="Attempts at a task side by side, each in its own copy of the workspace: the "
        "first that passes its checks wins.",
    )
    max_tasks: Positive = Field(100, description="Open tasks a plan may have.")

    revision_file_mb: Positive = Field(
        50, le=500, description="Largest file, in MB, that revisions of the workspace hold."
    )
    revision_mb: Positive = Field(
        1000, description="MB that one revision of the workspace may hold."
    )
    revision_ignore: list[str] = Field(
        [],
        description="What revisions leave out and a restore leaves alone, as in .gitignore, "
        "beside .git, caches, .venv and node_modules.",
    )

    def roles(self) -> dict[str, str]:
        """Implementation name by role."""
        return {role: getattr(self, role) for role in ROLES}

    def rules(self) -> list[Rule]:
        """The run's own approval rules."""
        return [parse_rule(text) for text in self.approvals]

    def changed(self) -> dict[str, Any]:
        """Only the fields that differ from the defaults; with a strategy, all that were set by
        name: against it a default counts too.
        """
        if self.strategy:
            return self.model_dump(exclude_unset=True)
        return self.model_dump(exclude_defaults=True)


ROLES = (
    "recall",
    "decompose",
    "plan",
    "select_tool",
    "execute",
    "reflect",
    "review",
    "report",
    "remember",
)
