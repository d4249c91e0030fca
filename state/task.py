"""A task of the plan, and the checks that decide whether it is done."""

from typing import Any, Literal

from pydantic import Field

from replan.state.noun import Noun

_LINE_CHARS = 300  # of what names a source

KEPT_CHARS = 4000  # of each argument of an attempt's call
# How the detail of a check begins whose file is not there.
MISSING = "it does not exist"
# Below the title of a task that was planned anew.
WENT_WRONG = "\nWhat went wrong before: "
TaskStatus = Literal["open", "done", "failed", "dropped"]
Verdict = Literal["done", "continue", "retry"]


class Check(Noun):
    """A condition that can be tested without asking a model.

    Kinds: `file_exists` (path, with content in its format), `file_unchanged` (path, against the
    start of the run), `csv_columns` (path, columns), `one_row_per` (path of a CSV file, text: what
    each row stands for, such as "city"), `json_numbers` (path of a JSON file that holds an object
    from names to numbers), `json_keys` (path, columns: the keys that each object in it has),
    `number_only` (path, text: how many decimals, "" for any), `brief_only` (path: a line of at most
    five words), `is_sorted` (path, columns: the column of a CSV file that it is sorted by; none for
    the lines of a text), `no_repeats` (path: no line twice), `no_gaps` (path: not an empty line
    behind every line), `has_table` (path: of Markdown), `as_many_rows` (path, text: the CSV file
    that has as many, or a pattern such as "in/*.csv" of those that have together), `file_contains`
    (path, text), `no_line_begins` (path, text), `decimals` (path, text: how many the number has in
    which each line ends), `gone` (path of a file or folder, or a pattern such as "*.bak" of files
    at any depth), `some_stay` (path of a folder, "" for the workspace), `only_removed` (no file has
    another name than at the start of the run), `call_gives` (path of a module, text: `f(1) == 2` or
    `f(1) raises ValueError`), `tests_pass` (path of a pytest file; "" for all tests), `script_runs`
    (path, text: its arguments), `workspace_changed` (text: the workspace's digest at the start of
    the run).
    """

    kind: Literal[
        "file_exists",
        "file_unchanged",
        "csv_columns",
        "one_row_per",
        "json_numbers",
        "json_keys",
        "number_only",
        "brief_only",
        "is_sorted",
        "no_repeats",
        "no_gaps",
        "has_table",
        "as_many_rows",
        "file_contains",
        "no_line_begins",
        "decimals",
        "gone",
        "some_stay",
        "only_removed",
        "call_gives",
        "tests_pass",
        "script_runs",
        "workspace_changed",
    ]
    path: str = ""
    columns: list[str] = Field(default_factory=list)
    text: str = ""

    def describe(self) -> str:
        """The check in words, for prompts and reports."""
        if self.kind == "file_exists":
            return f"{self.path} exists and has content"
        if self.kind == "file_unchanged":
            return f"{self.path} is unchanged"
        if self.kind == "csv_columns":
            return f"{self.path} has the columns {', '.join(self.columns)}"
        if self.kind == "one_row_per":
            return f"{self.path} has one row per {self.text}"
        if self.kind == "json_numbers":
            return f"{self.path} holds an object with one number for each name"
        if self.kind == "json_keys":
            return f"each object in {self.path} has the keys {', '.join(self.columns)}"
        if self.kind == "number_only":
            places = f" with {self.text} decimals" if self.text else ""
            return f"{self.path} holds one number{places} and nothing else"
        if self.kind == "brief_only":
            return f"{self.path} holds what is asked for, at most five words, and nothing else"
        if self.kind == "is_sorted":
            by = f"sorted by {self.columns[0]}" if self.columns else "in alphabetical order"
            return f"{self.path} is {by}"
        if self.kind == "no_repeats":
            return f"{self.path} holds each name once"
        if self.kind == "no_gaps":
            return f"{self.path} has no empty lines between its lines"
        if self.kind == "has_table":
            return (
                f"{self.path} holds a markdown table (| a | b |, below it | --- | --- |, then rows)"
            )
        if self.kind == "as_many_rows":
            return f"{self.path} has as many rows as {self.text}"
        if self.kind == "gone":
            if "*" in self.path:
                return f"no file {self.path} is left in any folder"
            return f"{self.path} is no longer there"
        if self.kind == "some_stay":
            return f"some files of {self.path or 'the workspace'} are where and as they were"
        if self.kind == "only_removed":
            return "files are removed, and none is renamed"
        if self.kind == "call_gives":
            return f"with {self.path}, {self.text}"
        if self.kind == "script_runs":
            return f"{f'python {self.path} {self.text}'.rstrip()} runs to its end"
        if self.kind == "file_contains":
            return f"{self.path} contains {self.text!r}"
        if self.kind == "no_line_begins":
            return f"no line of {self.path} begins with {self.text!r}"
        if self.kind == "decimals":
            return f"each line of {self.path} ends in one number with {self.text} decimals"
        if self.kind == "workspace_changed":
            return "files were created, changed, moved or removed"
        return f"the tests in {self.path or 'the workspace'} pass"


class CheckResult(Noun):
    """What a check found. `detail` says why it failed, bounded to about 1,500 characters."""

    check: Check
    passed: bool
    detail: str = ""

    def describe(self) -> str:
        """One line: passed or FAILED, the check, and why."""
        if not self.passed and self.detail and self.check.kind == "file_exists":
            # "exists: it does not exist" would be read as either.
            return f"FAILED: {self.check.path}: {self.detail}"
        line = f"{'passed' if self.passed else 'FAILED'}: {self.check.describe()}"
        return f"{line}: {self.detail}" if self.detail else line


class Action(Noun):
    """A tool call chosen for a task. `args` are the tool's own arguments. `unasked` says that it is
    a look made before the model was asked for anything.
    """

    tool: str
    args: dict[str, Any] = Field(default_factory=dict)
    thought: str = ""
    # Left out where it is not so: but for first looks, runs recorded before replay as equal.
    unasked: bool = Field(False, exclude_if=lambda unasked: not unasked)


class Source(Noun):
    """Text from outside, word for word, and where it stands: a passage of a document (`name` is
    its path in the documents folder), an excerpt that a search gave of a page, or a page itself
    (`name` is its address). `place` is such as "page 3" or "lines 12-30".
    """

    kind: Literal["document", "search", "page"]
    name: str
    text: str
    title: str = ""
    place: str = ""

    @property
    def line(self) -> str:
        """Where it stands, in one line."""
        where = f"{self.name}, {self.place}" if self.place else self.name
        return " ".join(where.split())[:_LINE_CHARS]


class Observation(Noun):
    """What came back from a tool call.

    `text` is what the model is shown, bounded; `error` is set when the call did not succeed;
    `changed` lists the workspace paths the call created, changed or removed; `exit_code` only
    when a process ran. `reason` names, in a word or two, the rule or limit that ended the call:
    denied, ask (nobody could be asked), rejected, time limit, ... `rest` is the call that shows
    what follows, where `text` is not all there is. `sources` is what a search or a page brought;
    `calls` counts those that code made itself.
    """

    ok: bool
    text: str = ""
    error: str = ""
    reason: str = ""
    changed: list[str] = Field(default_factory=list)
    exit_code: int | None = None
    seconds: float = 0.0
    repeated: bool = False
    rest: Action | None = None
    # Left out where there are none: runs recorded before there were any replay as equal.
    sources: list[Source] = Field(default_factory=list, exclude_if=lambda sources: not sources)
    calls: int = Field(0, exclude_if=lambda calls: not calls)


class Attempt(Noun):
    """One round of select_tool, execute and reflect on a task. `lesson` is what the next one should
    do differently, `files` the digest of what it made, where others are made beside it.
    """

    action: Action
    fingerprint: str = ""
    observation: Observation
    evidence: list[CheckResult] = Field(default_factory=list)
    verdict: Verdict = "retry"
    reason: str = ""
    lesson: str = ""
    # Left out where there are no others: runs recorded before there was one replay as equal.
    files: str = Field("", exclude_if=lambda files: not files)


class Task(Noun):
    """One piece of the plan with a result that can be seen.

    `writes` are the workspace files it makes or changes, `depends_on` the ids of tasks that must
    be done before. `before` is what the checks found when the task began. `attempts` holds the
    latest few only; `tries` counts the ones that failed, `rounds` all. `start` is what the files
    were like when it began. `calls` are to be made first, before anything is asked: they were
    planned ahead, or did a task like it in an earlier run, whose memory `followed` names. `hints`
    is what else was recalled. `rehearsed` says that its last call was not made but told of, in a
    dry run. `found` are the latest few that its look-ups brought, each with its call; `sources` are
    the addresses and documents that they come from. `made` are those of the files it writes that an
    earlier task in its place has made. Of tasks that were done long ago less is kept:
    see `settled_tasks`.
    """

    id: str
    title: str
    writes: list[str] = Field(default_factory=list)
    depends_on: list[str] = Field(default_factory=list)
    checks: list[Check] = Field(default_factory=list)
    status: TaskStatus = "open"
    tries: int = 0
    rounds: int = 0
    before: list[CheckResult] = Field(default_factory=list)
    attempts: list[Attempt] = Field(default_factory=list)
    result: str = ""
    start: dict[str, str] = Field(default_factory=dict)
    calls: list[Action] = Field(default_factory=list)
    hints: list[str] = Field(default_factory=list)
    followed: str = ""
    rehearsed: bool = False
    found: list[str] = Field(default_factory=list)
    sources: list[str] = Field(default_factory=list)
    # Left out where there are none: runs recorded before there were any replay as equal.
    made: list[str] = Field(default_factory=list, exclude_if=lambda made: not made)

    @property
    def own_files(self) -> list[str]:
        """Those of its files that were not there before the run, or the task, began."""
        missing = [
            one.check.path
            for one in self.before
            if one.check.kind == "file_exists" and one.detail.startswith(MISSING)
        ]
        return list(dict.fromkeys([*self.made, *missing]))

    @property
    def evidence(self) -> list[CheckResult]:
        """What its checks found last."""
        return self.attempts[-1].evidence if self.attempts else self.before

    @property
    def failing(self) -> list[CheckResult]:
        """Of that, what did not pass."""
        return [result for result in self.evidence if not result.passed]

    @property
    def brought(self) -> str:
        """What its look-ups brought, or else the last call gave, as far as it is kept."""
        if len(self.found) > 1:
            return "\n".join(self.found)
        seen = self.attempts[-1].observation.text if self.attempts else ""
        return (seen or self.result).strip()

    @property
    def planned_anew(self) -> bool:
        """Whether it was planned after something went wrong."""
        return WENT_WRONG in self.title

    @property
    def words(self) -> str:
        """The title without the hints of a replan."""
        return self.title.split(WENT_WRONG)[0]

    @property
    def headline(self) -> str:
        """The title's first line: what follows it are hints of a replan."""
        return next(iter(self.title.splitlines()), "") or self.id
