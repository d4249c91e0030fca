"""Files of one form, such as a folder of invoices: who has seen one of them can read them all.

They are for a script to read. Read one by one, twelve of them take longer than a run has.
"""

import glob
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from replan.nodes.fitting_lines import OTHERWISE, is_named
from replan.state.errors import ReplanError
from replan.tools.workspace import Workspace

_MANY = 3
_MOST_GROUPS = 4
_MOST_FILES = 100
_READ = 4000
_LABELS = 3
_VALUE = 40
_LABEL = re.compile(r"\W*([^\W\d][^:：\d]{0,20})[:：]")
_PLAIN_LABEL = re.compile(r"([^\W\d][\w ]{0,20})([:：])(?!//)(.*)")
_MOST_FITTING = 30
_NUMBER = re.compile(r"\d+")
_SHOWN = re.compile(r"^.* (?:holds|begins \([^\n]*\)):$", re.MULTILINE)
# Of the different lines of two files so many are alike, when they are of one form.
_ALIKE = 0.6
_LABELLED = re.compile(r"^Each holds a line .+ \.\.\.; re\.search\(", re.MULTILINE)
_TOLD = re.compile(r"^\(all \d+ \.(\w+) files in (.+)/ are of one form\)$", re.MULTILINE)


@dataclass(frozen=True)
class Group:
    """Files of one kind and form in one folder; one stands for them all. `labels` are lines
    of it such as "Amount: 7" whose label each file has once. `wanted` are the files with a `line`
    whose value the goal names: of all mails, those from a sender.
    """

    paths: list[str]
    labels: list[str]
    line: str = ""
    wanted: Sequence[str] = ()

    @property
    def first(self) -> str:
        """The file that stands for them all, or for those that are wanted."""
        return (self.wanted or self.paths)[0]

    @property
    def others(self) -> list[str]:
        """The files for which it stands, and those that are not wanted."""
        return [path for path in self.paths if path != self.first]

    @property
    def told(self) -> str:
        """What a survey says of it."""
        folder, ending = kind_of(self.paths[0])
        pattern = f"{glob.escape(folder)}/*.{ending}"
        which, paths = "them", f"sorted(glob.glob({pattern!r}))"
        if self.wanted:
            which, paths = f"those with the line {self.line!r} alone", repr(self.wanted)
        lines = [
            f"(all {len(self.paths)} .{ending} files in {folder}/ are of one form)",
            f"Read {which} by: for path in {paths}: "
            "name = os.path.basename(path); text = open(path).read()",
        ]
        for line in self.labels[:_LABELS]:
            label, mark, value = _parts(line)
            search = f"re.search({f'(?m)^{re.escape(label)}{mark}(.*)'!r}, text).group(1).strip()"
            lines.append(f"Each holds a line {label}{mark} ...; {search} is {value!r} in the first")
        return "\n".join(lines)


async def groups_of_one_form(
    workspace: Workspace, paths: Sequence[str], goal: str = ""
) -> list[Group]:
    """The groups among the files, at most four; more than a hundred files are no group that could
    be looked at.

    Args:
        workspace: where they are; the beginnings of all files of a group are read.
        paths: the files that hold text.
        goal: its words; a value that it names and some of the files have is told.
    """
    kinds: dict[tuple[str, str], list[str]] = defaultdict(list)
    for path in paths:
        kinds[kind_of(path)].append(path)
    many = [of for (folder, _), of in kinds.items() if folder and _MANY <= len(of) <= _MOST_FILES]
    groups = []
    for of in many[:_MOST_GROUPS]:
        if texts := await _alike(workspace, of):
            groups.append(_group(of, texts, goal))
    return groups


def _group(paths: list[str], texts: Sequence[str], goal: str) -> Group:
    """What there is to tell of files of one form. What stands in the head of a mail may stand in
    its body too: there it is looked for apart.
    """
    heads = list(map(_head, texts))
    of_texts = _labels(texts)
    labels = list(dict.fromkeys([*_labels(heads), *of_texts]))
    line, wanted = _fitting(paths, texts, of_texts, goal)
    if not wanted:
        line, wanted = _fitting(paths, heads, labels, goal)
    first = texts[paths.index((wanted or paths)[0])].splitlines()
    shown = [next((row for row in first if _same(row, one)), one) for one in labels]
    return Group(paths, shown, line, wanted)


def told_of_one_form(survey: str, paths: Sequence[str]) -> list[str]:
    """Those of the files that the survey tells to be of such a group."""
    told = {(folder, ending) for ending, folder in _TOLD.findall(_before_files(survey))}
    return [path for path in paths if kind_of(path) in told]


def told_of_labels(survey: str) -> bool:
    """Whether the survey tells how to get at what lines with labels hold in such a group."""
    return bool(_LABELLED.search(_before_files(survey)))


def _before_files(survey: str) -> str:
    """The survey up to the first file that it shows: what a file holds could say the same."""
    return _SHOWN.split(survey, maxsplit=1)[0]


def kind_of(path: str) -> tuple[str, str]:
    """The file's folder and ending: those of one kind may well be of one form."""
    return path.rpartition("/")[0], path.rsplit(".", 1)[-1]


async def _alike(workspace: Workspace, paths: Sequence[str]) -> list[str]:
    """The beginnings of the files; none where one is of another form than the first."""
    texts: list[str] = []
    forms: list[set[str]] = []
    try:
        for path in paths:
            texts.append(await workspace.read_text(path, _READ))
            forms.append(_form(texts[-1]))
            if _share(forms[0], forms[-1]) < _ALIKE:
                return []
    except ReplanError:  # the survey says of what it shows that it cannot be read
        return []
    return texts


def _labels(texts: Sequence[str]) -> list[str]:
    """The lines of the first whose label stands once in each, with values that differ."""
    found: list[dict[str, str]] = []
    for text in texts:
        lines = [line for line in text.splitlines() if _PLAIN_LABEL.match(line)]
        labels = [_parts(line)[0] for line in lines]
        found.append(
            {
                label: line
                for label, line in zip(labels, lines, strict=True)
                if labels.count(label) == 1
            }
        )
    return [
        line
        for label, line in found[0].items()
        if all(label in of for of in found) and len({of[label] for of in found}) > 1
    ]


def _fitting(
    paths: Sequence[str], texts: Sequence[str], labels: Sequence[str], goal: str
) -> tuple[str, list[str]]:
    """The one line whose value the goal names and that not all files have, and those that have it;
    none where there are several such lines, or the goal may want the others too.
    """
    if OTHERWISE.search(goal):
        return "", []
    kept = {_parts(line)[0] for line in labels}
    held = [
        [part for part in map(_parts, dict.fromkeys(text.splitlines())) if part[0] in kept]
        for text in texts
    ]
    named = {
        (label, mark, value)
        for parts in held
        for label, mark, value in parts
        if len(value) < _VALUE and _is_meant(value, goal)
    }
    found = {
        f"{label}{mark} {value}": [
            path
            for path, parts in zip(paths, held, strict=True)
            if any(one[0] == label and _is_value(one[2], value) for one in parts)
        ]
        for label, mark, value in sorted(named)
    }
    few = [(line, of) for line, of in found.items() if len(of) < len(paths)]
    return few[0] if len(few) == 1 and len(few[0][1]) <= _MOST_FITTING else ("", [])


def _is_value(held: str, value: str) -> bool:
    """Whether a line holds the value, or an address with a name before it, such as "Lea <l@x>"."""
    return value.casefold() in (held.casefold(), _NAMED_ADDRESS.sub(r"\1", held).casefold())


_NAMED_ADDRESS = re.compile(r"^.*<([^<>]+)>$")


def _same(row: str, line: str) -> bool:
    """Whether both lines have the same label."""
    return _parts(row)[0] == _parts(line)[0] != ""


def _is_meant(value: str, goal: str) -> bool:
    """Whether the goal names the value, and not by chance: a word such as "open" means much."""
    if not is_named(value.casefold(), goal):
        return False
    behind = rf"(?:\b(?:from|by|of|is|are)\s+|[来发]自\s*)[`'\"“]?{re.escape(value)}"
    return bool(re.search(r"[\d@ ]", value) or re.search(behind, goal, re.IGNORECASE))


def _head(text: str) -> str:
    return text.lstrip().partition("\n\n")[0]


def _parts(line: str) -> tuple[str, str, str]:
    """Label, colon and value of a line."""
    match = _PLAIN_LABEL.match(line)
    return (match[1], match[2], match[3].strip()[:_VALUE]) if match else ("", "", "")


def _form(text: str) -> set[str]:
    """The different lines: what stands before a colon, or the whole line, numbers aside."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return {
        label.group(1).strip() if (label := _LABEL.match(line)) else _NUMBER.sub("#", line)
        for line in lines
    }


def _share(one: set[str], other: set[str]) -> float:
    return len(one & other) / max(1, min(len(one), len(other)))
