"""Which files a text names: the goal's own words are where acceptance checks come from."""

import re
from collections import Counter
from collections.abc import Sequence

# A dotted word counts as a file only with an ending that files really have: "e.g.", "3.11",
# "example.com" and "Web3.0" must not become files that the agent is held to write.
_ENDINGS = (
    "bat c cfg conf cpp css csv db diff docx env gif go h html ini ipynb java jpeg jpg js json "
    "jsonl jsx key lock log lua md mjs ods pdf php pl png ppt pptx ps1 py r rb rs rst sh sql "
    "sqlite svg tex toml ts tsv tsx txt vue xls xlsx xml yaml yml zip"
)
_ENDING = "(?:" + "|".join(_ENDINGS.split()) + ")"
_BARE = re.compile(
    rf"(?<![A-Za-z0-9_./@:-])(?<!\]\()((?:\./)?(?:[A-Za-z0-9_-]+/)*[A-Za-z0-9_-][A-Za-z0-9_.-]*\.{_ENDING})"
    r"(?![A-Za-z0-9_/-])",
)
# Chinese runs on into the words around it: a name begins behind a space or a mark, or behind a word
# that only a name can follow.
_CHINESE = re.compile(
    r"(?:(?<=[\s，。；：、,:;])|(?<=写入)|(?<=存入)|(?<=写到)|(?<=存到)|(?<=保存为)|(?<=保存到)|(?<=合并成)|(?<=合并到)"
    r"|(?<=生成)|(?<=输出到)|(?<=输出为)|(?<=命名为)|(?<=编写)|(?<=读取)|(?<=打开))"
    rf"([\w/-]*[\u4e00-\u9fff][\w./-]*?\.{_ENDING})(?![A-Za-z0-9_/-])"
)
_QUOTED = re.compile(rf"[\"'`“‘「『《]([^\"'`”’」』》\n]{{1,100}}?\.{_ENDING})[\"'`”’」』》]")


def named_files(text: str, existing: Sequence[str] = ()) -> list[str]:
    """The file paths that a text mentions, in the order of their mention.

    Args:
        text: any language; names in quotes may hold any letters; bare Chinese ones count where
            it is plain where they begin.
        existing: paths that exist; one whose whole path or base name stands in the text counts,
            whatever its ending.
    """
    found: dict[str, int] = {}
    by_name = {path.rsplit("/", 1)[-1]: path for path in reversed(existing)}
    for path in existing:
        name = path.rsplit("/", 1)[-1]
        for spelled in (path, name):
            place = _mention(text, spelled, path, existing)
            if place >= 0 and by_name.get(name) == path:
                found.setdefault(path, place)
    for match in _mentions(text):
        name = match.group(1).removeprefix("./")
        path = name if name in existing else by_name.get(name, name)
        found.setdefault(path, match.start(1))
    return sorted(found, key=lambda path: found[path])


# Words that no file is named with: where they stand, the name begins behind them.
_RUNS_ON = re.compile(r"[的把将从到在和与请]|写入|保存|读取|文件")


# "`python a.py`" names a.py.
_COMMAND = re.compile(r"(?:python[\d.]*|pytest|bash|sh|node|make|cat|rm|mv|cp|git|pip|uv)\s")


def _mentions(text: str) -> list[re.Match[str]]:
    """Names in quotes and bare ones; a sentence in quotes is no name, nor a name's last word."""
    quoted = [
        one
        for one in _QUOTED.finditer(text)
        if len(_BARE.findall(one.group(1))) < 2 and not _COMMAND.match(one.group(1))
    ]
    for one in quoted:
        text = f"{text[: one.start()]}{' ' * len(one.group())}{text[one.end() :]}"
    bare = list(_BARE.finditer(text))
    chinese = [
        one
        for one in _CHINESE.finditer(text)
        if not any(other.start() < one.end() and one.start() < other.end() for other in bare)
        and not _RUNS_ON.search(one.group(1))
    ]
    return [*quoted, *bare, *chinese]


def _mention(text: str, name: str, path: str, existing: Sequence[str]) -> int:
    """Where the name stands as a whole word that is not the end of another file's path, or -1."""
    if name not in text:  # of thousands of names hardly any is: no expression for each of them
        return -1
    folders = r"(?<![A-Za-z0-9_./-])[A-Za-z0-9_./-]*(?<![A-Za-z0-9_.-])"
    for match in re.finditer(rf"{folders}{re.escape(name)}(?![A-Za-z0-9_-])", text):
        whole = match.group().removeprefix("./")
        if whole == path or whole not in existing:
            return match.start()
    return -1


def files_meant(text: str, existing: Sequence[str]) -> list[str]:
    """The existing files whose names hold a word of the text: "oslo.md" for "the sites Oslo and
    Lima". A word that most of the names hold tells none of them from the others.
    """
    words = {path: set(_words_of(path.rsplit("/", 1)[-1].rsplit(".", 1)[0])) for path in existing}
    counts = Counter(word for of in words.values() for word in of)
    said = text.lower()
    telling = {
        word
        for word, count in counts.items()
        if count <= max(1, len(existing) // 3) and _stands_in(word, said)
    }
    return [path for path in existing if words[path] & telling]


def files_in_named_folders(text: str, existing: Sequence[str]) -> list[str]:
    """The existing files right below the folders that a text names: "in/" or "the folder in"."""
    folders = {path.rpartition("/")[0] for path in existing} - {""}
    named = {folder for folder in folders if _names_folder(text, folder)}
    return [path for path in existing if path.rpartition("/")[0] in named]


def folders_to_make(text: str, existing: Sequence[str]) -> list[str]:
    """The folders that a text wants something put into: by a slash at their end, behind "into" or
    the like, or by a file in them that is not there. They may be there, empty.
    """
    parents = [
        path.rpartition("/")[0] for path in named_files(text, existing) if path not in existing
    ]
    named = [match[1] or match[2] for match in _INTO.finditer(text)]
    there = {f"{path.rpartition('/')[0]}/" for path in existing}
    return [
        folder
        for folder in dict.fromkeys([*named, *parents])
        if folder and not any(place.startswith(f"{folder}/") for place in there)
    ]


_FOLDER = r"([A-Za-z0-9_][\w-]+(?:/[\w-]+)*)/(?![\w*/])"
_INTO = re.compile(
    rf"\b(?:into|to|under)\s+(?:the\s+)?(?:new\s+)?(?:folder\s+|directory\s+)?[`'\"]?{_FOLDER}"
    rf"|(?:移到|放到|放进|存到|移入|解压到)\s*[`'\"]?{_FOLDER}",
    re.IGNORECASE,
)


def _names_folder(text: str, folder: str) -> bool:
    if folder not in text:
        return False
    name = re.escape(folder)
    said = r"(?:folder|directory|文件夹|目录)"
    return bool(
        re.search(
            rf"(?<![\w/.-]){name}/(?![\w*])|{said}\s*[`'\"“]?{name}(?![\w/-])"
            rf"|(?<![\w/.-]){name}[`'\"”]?\s*{said}",
            text,
            re.IGNORECASE,
        )
    )


def _words_of(name: str) -> list[str]:
    """The words of a file's name; one of a script without spaces has two letters at least."""
    found = re.split(r"[\W_\d]+", name.lower())
    return [word for word in found if len(word) >= (3 if word.isascii() else 2)]


def _stands_in(word: str, text: str) -> bool:
    if not word.isascii():
        return word in text
    return bool(re.search(rf"(?<![a-z]){re.escape(word)}s?(?![a-z])", text))


def is_test_file(path: str) -> bool:
    """Whether pytest would collect the path by its name."""
    name = path.rsplit("/", 1)[-1]
    return name.endswith(".py") and (name.startswith("test_") or name.endswith("_test.py"))
