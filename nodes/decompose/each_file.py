"""What a goal wants of each file of a folder, and of an archive that it has unpacked."""

import re
from collections.abc import Collection, Sequence

from replan.nodes.named_files import files_in_named_folders
from replan.nodes.survey import ARCHIVES
from replan.state.task import Check

_MOST = 30
_END = r"(?:very\s+)?(?:end|bottom|top|beginning|start)"
_FILES = (
    r"(?:(?:each|every)(?:\s+of)?|all(?:\s+of)?)\s+(?:(?:the|these|those)\s+)?(?:\.?\w+\s+)?files?"
    r"(?:\s+(?:in|of)\s+(?:the\s+folder\s+)?[\w./-]+/)?"
)
_LINE = re.compile(
    r"\b(?:put|add|append|insert|write|prepend)\s+(?:the|a|this)\s+(?:\w+\s+)?line\s+"
    r"(?:[`'](?P<one>[^`'\n]+)[`']|[\"“](?P<two>[^\"”\n]+)[\"”])\s+(?:at|to)\s+the\s+"
    rf"{_END}\s+of\s+{_FILES}\s*(?:[.;。]|$)"
    r"|在?每个(?:\.?\w{1,4})?\s*文件的?(?:最)?(?:末尾|开头|后面?|结尾|顶部)(?:都)?"
    r"(?:加上?|添加|写上?)(?:一行)?[“\"「](?P<three>[^”\"」\n]+)[”\"」]\s*(?:[。；;.]|$)",
    re.IGNORECASE,
)
# A line that is a form to be filled in is another in each file.
_FORM = re.compile(r"[{}<>]|\.\.\.|\[[^\]]*\](?!\()|…")
# Then not all of the files are meant, or copies of them.
_NOT_ALL = re.compile(
    r"\b(?:except|that|which|whose|without|unless|cop(?:y|ies)|leave|only|but|mention\w*)\b"
    r"|没有|除|复制|副本|只",
    re.IGNORECASE,
)
_UNPACKED = (
    r"\b(?:unpack|extract|unzip|untar|decompress)\s+(?:the\s+)?(?:archive\s+|file\s+)?[`'\"“]?{name}"
    r"[`'\"”]?\s+(?:in)?to\s+(?:the\s+)?(?:new\s+)?(?:folder\s+|directory\s+)?[`'\"]?{folder}/(?!\w)"
    r"|{name}[`'\"”」]?\s*解(?:压缩?|包)(?:到|至|进)\s*[`'\"“「]?{folder}/(?!\w)"
)
_FOLDER = r"([A-Za-z0-9_][\w-]*(?:/[\w-]+)*)"
# A name, not a path: "笔记/01.txt" is none.
_BY_NAME = re.compile(
    r"\bfile ?names?\b|\bnames? of (?:the|each|its) files?\b|文件名", re.IGNORECASE
)
_BY_PATH = re.compile(r"\bpaths?\b|路径|\bfolder/|\brelative\b", re.IGNORECASE)
_HEADED = re.compile(r"[`'\"“「]# ?(?:the )?(?:file ?name|文件名)", re.IGNORECASE)


def checks_of_each(
    goal: str,
    writes: Sequence[str],
    existing: Sequence[str],
    protected: Collection[str] = (),
) -> list[Check]:
    """Checks that each file has the line that the goal puts into it, that names are no paths, and
    that what is unpacked is where it goes.

    Args:
        goal: its own words.
        writes: the files that it wants made.
        existing: the files that are there.
        protected: those that must not change.
    """
    files = [path for path in files_in_named_folders(goal, existing) if path not in writes]
    folders = {path.rpartition("/")[0] for path in files}
    checks: list[Check] = []
    if len(folders) == 1:
        line = line_of_each(goal)
        if line and 1 < len(files) <= _MOST and not set(files) & set(protected):
            checks += [Check(kind="file_contains", path=path, text=line) for path in files]
        if len(writes) == 1:
            checks += _names_of(folders.pop(), goal, writes[0])
    return [*checks, *_unpacked(goal, existing)]


def line_of_each(goal: str) -> str:
    """The line that the goal puts into each file that it speaks of; "" for none.

    Args:
        goal: its own words.
    """
    found = _LINE.search(goal)
    if found is None or _NOT_ALL.search(f"{goal[: found.start()]} {goal[found.end() :]}"):
        return ""
    line = found["one"] or found["two"] or found["three"]
    return "" if _FORM.search(line) else line


def _names_of(folder: str, goal: str, path: str) -> list[Check]:
    """Check that no line of a text begins with the folder where the goal wants names of files."""
    shown = re.search(rf"{re.escape(folder)}/[\w.]", goal)  # then a name has its folder
    if not path.endswith((".txt", ".md")) or shown:
        return []
    if not _BY_NAME.search(goal) or _BY_PATH.search(goal):
        return []
    before = "# " if _HEADED.search(goal) else ""
    return [Check(kind="no_line_begins", path=path, text=f"{before}{folder}/")]


def _unpacked(goal: str, existing: Sequence[str]) -> list[Check]:
    """Check that there is the folder that an archive is unpacked into."""
    for path in existing:
        if path.endswith(ARCHIVES):
            name = re.escape(path.rpartition("/")[2])
            found = re.search(_UNPACKED.format(name=name, folder=_FOLDER), goal, re.IGNORECASE)
            if found:
                return [Check(kind="file_exists", path=f"{found[1] or found[2]}/")]
    return []
