"""Every error that `replan` raises on purpose, with what the user can do about it."""

import re
from collections.abc import Sequence

# A name and password in an address: an address may be shown, they may not.
_LOGIN = re.compile(r"//[^/@\s]*@")


class ReplanError(Exception):
    """Base of all errors of this project.

    Args:
        what: what went wrong, in one line, with the value that caused it.
        todo: what the user can do next, in one line.
    """

    exit_code = 1

    def __init__(self, what: str, todo: str = "") -> None:
        self.what = _LOGIN.sub("//***@", what)
        self.todo = _LOGIN.sub("//***@", todo)
        super().__init__(f"{self.what} {self.todo}".strip())


class UsageError(ReplanError):
    """Bad input or configuration: nothing was started, nothing changed."""

    exit_code = 2


class GoalError(UsageError):
    """The goal is empty or too long."""


class SettingError(UsageError):
    """An unknown model, role, implementation, or a setting with an impossible value."""


class WorkspaceError(UsageError):
    """The workspace is missing, not a folder, or not writable."""


class DatabaseError(UsageError):
    """No database can be reached, or it lacks what is needed."""


class WeightsError(UsageError):
    """The weights of the embedded model are missing or are not the expected ones."""


class ModelUnavailableError(UsageError):
    """The model server refuses the key, does not know the model, or cannot be reached."""


class ThreadNotFoundError(UsageError):
    """No checkpoint exists for the thread."""


class ThreadBusyError(UsageError):
    """Another process is running the thread."""


class ModelAnswerError(ReplanError):
    """The model answered, within the allowed retries, with nothing that can be used."""


class ContractError(ReplanError):
    """An implementation of a role broke its contract."""


class RevisionError(ReplanError):
    """A revision of the workspace cannot be stored, is not there, or cannot be restored."""


class WorkspaceChangedError(UsageError):
    """A restore would overwrite or remove files that were changed since the last revision.

    Args:
        paths: all of them, relative to the workspace.
    """

    def __init__(self, paths: Sequence[str]) -> None:
        self.paths = list(paths)
        more = f" and {len(paths) - 5} more" if len(paths) > 5 else ""
        super().__init__(
            f"files were changed since the last revision: {', '.join(paths[:5])}{more}.",
            "Nothing was touched. Keep copies of them, then overwrite them with --force.",
        )
