"""Which tool calls are allowed, which a person is asked about, and which are denied.

Rules are matched against a call's subject: the argument that a tool names by `subject`, or what its
method `subjects` says; a tool that says neither has all its arguments, as JSON, for a subject. A
subject that is a path of the workspace is matched as it was written, normalised, and as what it
leads to, so that neither `a/../secret.md` nor a symbolic link slips through. So is one that is an
address, however its host is written.

Deny counts before ask, ask before allow, wherever a rule comes from: a run can add rules to those
of the settings file, not weaken them. Without a rule, what stays in the workspace and the sandbox
is allowed, and a tool that leaves them (`leaves = True`) asks.
"""

import json
import posixpath
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from replan.state.approval import Effect, Rule
from replan.state.context import Context
from replan.state.settings import settings
from replan.state.task import Action
from replan.tools.address_forms import address_forms, own_forms
from replan.tools.bounds import clipped
from replan.tools.protocol import ADDRESS, Tool, ToolError
from replan.tools.workspace import Workspace

_PATHS = {"path", "folder"}


@dataclass(frozen=True)
class Decision:
    """What happens to a call, and why: the rule, or what holds without one."""

    effect: Effect
    why: str


@dataclass(frozen=True)
class Policy:
    """The rules of a run."""

    rules: Sequence[Rule] = field(default_factory=tuple)

    def decide(self, action: Action, tool: Tool, workspace: Workspace) -> Decision:
        """What happens to a call. Blocking: it looks where paths lead.

        Raises:
            ToolError: the tool cannot tell the call's subjects.
        """
        about = [rule for rule in self.rules if _is_about(rule, action.tool, tool)]
        if not about:
            return self._otherwise(action.tool, tool)
        subjects = subjects_of(action, tool, workspace)
        for effect in ("deny", "ask"):
            for rule in about:
                if rule.effect == effect and _matches_any(rule, subjects):
                    return Decision(rule.effect, f"the rule {rule}")
        allowing = [rule for rule in about if rule.effect == "allow"]
        if getattr(tool, "subject", "") == ADDRESS:
            subjects = [own_forms(str(action.args.get(ADDRESS, "")))]
        if allowing and all(
            any(rule.matches(form) for rule in allowing) for forms in subjects for form in forms
        ):
            return Decision("allow", f"the rule {allowing[0]}")
        return self._otherwise(action.tool, tool)

    def for_tool(self, name: str, tool: Tool) -> str:
        """The rules about a tool and what holds without them, in one line for people."""
        about = [rule for effect in ("deny", "ask", "allow") for rule in self.rules
                 if rule.effect == effect and _is_about(rule, name, tool)]  # fmt: skip
        return ", ".join([*map(str, about), self._otherwise(name, tool).effect])

    def _otherwise(self, name: str, tool: Tool) -> Decision:
        if getattr(tool, "leaves", False):
            return Decision("ask", f"{clipped(name, 60)} reaches beyond workspace and sandbox")
        return Decision("allow", "it stays in workspace and sandbox")


def policy_of(context: Context) -> Policy:
    """The rules of the settings file and of the run. Blocking, the first time."""
    return Policy((*settings().replan_approvals.rules(), *context.rules()))


def subjects_of(action: Action, tool: Tool, workspace: Workspace) -> list[list[str]]:
    """What rules are matched against: the forms in which each subject of a call can be written.

    Raises:
        ToolError: the tool cannot tell them.
    """
    if hasattr(tool, "subjects"):
        return [path_forms(path, workspace) for path in tool.subjects(action.args, workspace)]
    named = getattr(tool, "subject", "")
    if not named:
        return [[json.dumps(action.args, sort_keys=True, ensure_ascii=False, default=str)]]
    value = action.args.get(named)
    text = "" if value is None else value if isinstance(value, str) else json.dumps(value)
    if named == ADDRESS:
        return [address_forms(text)]
    return [path_forms(text, workspace)] if named in _PATHS else [[text]]


def path_forms(path: str, workspace: Workspace) -> list[str]:
    """How a path of the workspace can be written: as it is but normalised, with the links in its
    folder followed, and as what it leads to. Those outside the workspace are left out, since no
    tool follows them.
    """
    written = posixpath.normpath(path)
    root = f"{workspace.path.as_posix()}/"
    forms = [written.removeprefix(root)]
    folder, name = posixpath.split(written)
    with suppress(ToolError, ValueError):  # a name that is none
        place = workspace.confine(folder) / name if name not in ("", ".", "..") else None
        if place is not None:
            forms.append(workspace.relative(place))
    with suppress(ToolError, ValueError):  # a name that is none
        forms.append(workspace.relative(workspace.confine(path)))
    return list(dict.fromkeys(forms))


def _is_about(rule: Rule, name: str, tool: Tool) -> bool:
    return any(map(rule.is_about, (name, *getattr(tool, "ruled_as", ()))))


def _matches_any(rule: Rule, subjects: Sequence[Sequence[str]]) -> bool:
    # Of a call without a subject only a rule for all of the tool's calls can speak.
    if not subjects:
        return rule.matches("")
    return any(rule.matches(form) for forms in subjects for form in forms)
