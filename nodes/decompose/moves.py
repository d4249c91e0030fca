"""What the goal's own words want deleted or renamed.

A check that something is gone drives the agent to delete it. So it is made only where the words
leave no doubt: not where they say "never", name an exception or a condition, or tell of a script.
"""

import re
from collections.abc import Sequence
from fnmatch import fnmatch

from replan.nodes.named_files import files_in_named_folders, named_files

_PATH = r"[`'\"“]?([A-Za-z0-9_][\w./-]*)[`'\"”]?"
_ENDS = r"(?=\s*(?:$|[,;:.!]\s|[,;:.!]$|and\b|then\b|afterwards\b|too\b))"
_DELETED = re.compile(
    r"\b(?:delete|remove)\s+(?:the\s+)?(?:whole\s+|now empty\s+)?"
    rf"(?:(?:folder|directory|file)\s+)?{_PATH}{_ENDS}|删除\s*{_PATH}",
    re.IGNORECASE,
)
_NEW_NAME = r"(?:[`'\"“]([^`'\"”\n/]+?\.\w{1,8})[`'\"”]|([A-Za-z0-9_][\w./-]*\.[A-Za-z]\w{0,7}))"
_RENAMED = re.compile(
    rf"\brename\s+(?:the\s+)?(?:file\s+)?{_PATH}\s+(?:to|into|as)\s+{_NEW_NAME}"
    rf"|把\s*{_PATH}\s*(?:重命名|改名)[为成]\s*{_NEW_NAME}",
    re.IGNORECASE,
)
_KIND = r"[`'\"“]?\*?(\.[A-Za-z0-9]{1,8})[`'\"”]?"
_DELETED_KIND = re.compile(
    rf"\b(?:delete|remove)\s+(?:all|every)\s+(?:of\s+)?(?:the\s+)?{_KIND}[ -]files?\b"
    r"(?:\s+(?:in|from|under|below)\s+(?:the\s+)?(?:folder\s+|directory\s+)?"
    r"([A-Za-z0-9_][\w/-]*)/?)?"
    r"(?=\s*(?:$|[,;:.!]|and\b|then\b|wherever\b|everywhere\b|anywhere\b))"
    rf"|删除所有(?:的)?\s*{_KIND}\s*文件",
    re.IGNORECASE,
)
_NEGATED = re.compile(
    r"(?:\b(?:not|never|without|nor|neither|no)|n't)(?:\W+\w+){0,2}\W*$"
    r"|(?:不|勿|别|不要|不得|不能)\W*\w{0,2}$",
    re.IGNORECASE,
)
_OF_A_SCRIPT = re.compile(
    r"\b(?:script|program|function|command|tool|cron|job|says?|how)\b|脚本|程序|函数|命令",
    re.IGNORECASE,
)
_SENTENCE_END = re.compile(r"[.;!?]\s|[。；！？\n]")
_CONDITION = re.compile(
    r"\b(?:except|but|other than|older|newer|whose|that|which|larger|smaller|if|unless|when|where|"
    r"only|keep)\b|除了|以外|如果|保留",
    re.IGNORECASE,
)


def to_be_gone(goal: str, existing: Sequence[str]) -> list[str]:
    """The files and folders that are there and that the goal wants deleted, or renamed, by name;
    and patterns of files of one kind that it wants deleted.
    """
    folders = {path.rpartition("/")[0] for path in existing} - {""}
    named = [_first(match) for match in _DELETED.finditer(goal) if _is_meant(goal, match)]
    gone = [name for name in named if name in existing or name in folders]
    return list(dict.fromkeys([*gone, *renamed(goal, existing), *_kinds(goal, existing)]))


def renamed(goal: str, existing: Sequence[str]) -> dict[str, str]:
    """The files that the goal renames, with their new paths."""
    pairs = {}
    for match in _RENAMED.finditer(goal):
        before, after = (name.removeprefix("./").rstrip(".") for name in match.groups() if name)
        folder = before.rpartition("/")[0]
        if not _is_doubtful(goal, match):
            pairs[before] = f"{folder}/{after}" if folder and "/" not in after else after
    # In a chain, or where two change places, a name says nothing of whose file it is.
    return {
        before: after
        for before, after in pairs.items()
        if before in existing and before not in pairs.values() and after not in pairs
    }


def _is_doubtful(goal: str, match: re.Match[str]) -> bool:
    """Whether it is said not to be done, or a script's to do."""
    sentence = _SENTENCE_END.split(goal[: match.start()])[-1]
    return bool(_NEGATED.search(sentence) or _OF_A_SCRIPT.search(sentence))


def _is_meant(goal: str, match: re.Match[str]) -> bool:
    """Whether it is to be done as it stands, under no condition."""
    following = re.match(r"\W*(\w+)", _SENTENCE_END.split(goal[match.end() :])[0])
    conditional = following and _CONDITION.fullmatch(following[1])
    return not (_is_doubtful(goal, match) or conditional)


def where_some_stay(goal: str, existing: Sequence[str]) -> str | None:
    """The folder of which the goal, which moves or deletes files, says that the others stay; "" for
    the workspace, None where it says nothing of others.
    """
    if not (_OTHERS_STAY.search(goal) and _MOVES.search(goal)):
        return None
    if set(existing) <= set(named_files(goal, existing)):
        return None
    folders = {path.rpartition("/")[0] for path in files_in_named_folders(goal, existing)}
    return folders.pop() if len(folders) == 1 else ""


_OTHERS = r"\b(?:the\s+)?(?:others?|rest)\b(?!\s+of\s+(?:the|its|his|her|their)\s+(?!files)\w+)"
_OTHERS_STAY = re.compile(
    rf"{_OTHERS}[^.;\n]{{0,20}}\b(?:stays?|remains?|untouched|unchanged|(?:as|where) they are)\b"
    rf"|\b(?:leave|keep)\s+(?:all\s+)?{_OTHERS}(?!\s+(?:out|informed))"
    r"|其[余他](?:的|文件)*[^。；\n]{0,6}(?:不变|不动|保留|留在)",
    re.IGNORECASE,
)
_MOVES = re.compile(
    r"\b(?:mov(?:e[sd]?|ing)|deletes?|deleted|deleting|remov(?:e[sd]?|ing))\b|移动|移到|删除",
    re.IGNORECASE,
)


def removes_only(goal: str, existing: Sequence[str]) -> bool:
    """Whether all that the goal wants is that some files go: it names none, and speaks neither of
    what is in them nor of anything else to be done.
    """
    matches = list(_REMOVES_FILES.finditer(goal))
    if not matches or asks(goal) or named_files(goal, existing):
        return False
    doubtful = any(_is_doubtful(goal, match) for match in matches)
    return not doubtful and not _DOES_MORE.search(goal)


def asks(goal: str) -> bool:
    """Whether the goal asks something, or how something would be done: then it is perhaps not to be
    done.
    """
    return bool(_ASKS.search(goal))


_ASKS = re.compile(
    r"[?？]|\b(?:how|whether|why|which|what|who|explain|tell|say|show|is it|safe to|would)\b"
    r"|如何|怎么|怎样|为什么|哪|多少|能否|是否|说明|告诉",
    re.IGNORECASE,
)


_REMOVES_FILES = re.compile(
    r"\b(?:delete|remove|get rid of)\s+(?:all\s+|every\s+|any\s+)?(?:of\s+)?(?:the\s+|those\s+)?"
    r"(?:(?!(?:from|in|of|to|into|and)\b)\w+\s+){0,3}?"
    r"(?:files?|folders?|director(?:y|ies)|duplicates?|others?|rest|copies)\b(?!\s+names?\b)"
    r"|(?:删除|删掉|移除)[^，。；]{0,20}?(?:文件夹?|目录|其[他余]的?)(?![夹里中内名的])",
    re.IGNORECASE,
)
_DOES_MORE = re.compile(
    r"\b(?:writ(?:e|es|ing)|creat(?:e|es|ing)|mak(?:e|es|ing)|save|saves|saving|stor(?:e|es|ing)|"
    r"renam(?:e|es|ed|ing)|mov(?:e|es|ed|ing)|cop(?:y|ied|ying)|put|puts|putting|add|adds|"
    r"adding|chang(?:e|es|ing)|replac(?:e|es|ing)|edit|edits|set|sets|update|updates|updating|"
    r"extract|sort|sorts|merg(?:e|es|ing)|append|insert|convert|translate|generate|generates|"
    r"generating|build|split|join|combine|collect|list|lists|report|log|logs|record|repair|mend|fix|"
    r"implement|back ?up|archive|zip|pack|unpack|fill|correct|format|turn|turns|shorten|clean|"
    r"clear|organi[sz]e|flatten|compress|transfer|(?:group|number)\s+(?:the|all|them|each)|"
    r"lines?|rows?|columns?|words?|entr(?:y|ies)|sections?|functions?|imports?|comments?|spaces?|"
    r"characters?|tests?|instead)\b"
    r"|写|创建|新建|保存|重命名|改名|移动|移到|复制|添加|修改|替换|排序|合并|生成|整理|放|压缩|归"
    r"|行|列|字|备份",
    re.IGNORECASE,
)


def _kinds(goal: str, existing: Sequence[str]) -> list[str]:
    """Patterns such as "*.bak" or "old/*.bak", at any depth, where there are such files."""
    named = named_files(goal, existing)
    found = []
    for match in _DELETED_KIND.finditer(goal):
        rest = _SENTENCE_END.split(goal[match.end() :])[0]
        clause = re.split(r",?\s+(?:and|then)\s|，", rest, maxsplit=1)[0]
        folder = (match[2] or "").rstrip("/")
        pattern = f"{folder + '/' if folder else ''}*{match[1] or match[3]}"
        # One that is named may be the exception, or is yet to be made.
        excepted = any(fnmatch(path, pattern) for path in named)
        if _is_doubtful(goal, match) or _CONDITION.search(clause) or excepted:
            continue
        if any(fnmatch(path, pattern) for path in existing):
            found.append(pattern)
    return found


def _first(match: re.Match[str]) -> str:
    return str(next(filter(None, match.groups()))).rstrip("/.").removeprefix("./")
