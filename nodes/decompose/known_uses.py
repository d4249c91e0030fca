"""What happens to which file, as far as the goal's own words leave no doubt about it."""

import re
from collections.abc import Mapping, Sequence

from replan.nodes.contract import DecomposeRequest
from replan.nodes.decompose.each_file import line_of_each
from replan.nodes.decompose.moves import asks, removes_only, renamed, to_be_gone
from replan.nodes.decompose.parts import SENTENCE_END
from replan.nodes.named_files import is_test_file

_MOST_KEPT = 60


def surely_used(request: DecomposeRequest) -> dict[str, str]:
    """What happens to the named files, as far as the goal's own words leave no doubt: "moved" for
    what it deletes or renames, the new names too; "create" for one that it tells to make; "change"
    for one that it tells to mend; and where it makes one, "only read" for those that are there,
    unless it speaks of changing anything.
    """
    goal, existing = request.brief.goal, request.existing
    moved = [*to_be_gone(goal, existing), *renamed(goal, existing).values()]
    made = [
        path
        for path in request.named
        if path not in request.existing
        and re.search(_MADE.format(name=re.escape(path)), goal, re.IGNORECASE)
    ]
    there = [path for path in request.named if path in request.existing]
    read = there
    said = goal if goal.count('"') % 2 else _QUOTED.sub("", goal)
    if not made or _CHANGES.search(said):
        read = [path for path in there if _made_from(path, made, goal)]
    if _TESTS_DECIDE.search(goal) and not CHANGES_TESTS.search(goal):
        read += [path for path in there if is_test_file(path)]
    mended = [path for path in there if not is_test_file(path) and _is_mended(path, goal)]
    return {
        **dict.fromkeys(made, "create"),
        **dict.fromkeys(read, "only read"),
        **dict.fromkeys(mended, "change"),
        **{path: "moved" for path in request.named if path in moved},
    }


def _is_mended(path: str, goal: str) -> bool:
    """Whether the goal tells to mend that file."""
    pattern = _MENDED.format(name=re.escape(path))
    matches = list(re.finditer(pattern, goal, re.IGNORECASE))
    return bool(matches) and not asks(goal) and not any(_is_refused(goal, one) for one in matches)


def only_read_in(words: str, path: str) -> bool:
    """Whether words name the file as what something is taken from, and change nothing.

    Args:
        words: such as the title of a task.
        path: of a file.
    """
    spelled = {path, path.rpartition("/")[2]}
    name = "(?:" + "|".join(map(re.escape, sorted(spelled, key=len, reverse=True))) + ")"
    mentions = len(re.findall(rf"(?<![\w./-]){name}(?![\w/-])", words))
    taken = len(re.findall(_TAKEN.format(name=name), words, re.IGNORECASE))
    return 0 < mentions == taken and not changes(words) and not _REORDERS.search(words)


def changes(words: str) -> bool:
    """Whether words speak of changing anything that is there."""
    return bool(_CHANGES.search(words))


def surely_changes(goal: str, existing: Sequence[str], known: Mapping[str, str]) -> bool:
    """Whether the goal's own words leave no doubt that it wants files changed.

    Args:
        goal: its words.
        existing: the files that are there.
        known: what `surely_used` found.
    """
    return "change" in known.values() or removes_only(goal, existing) or tests_decide(goal)


def tests_decide(goal: str) -> bool:
    """Whether the goal wants something mended until the tests that there are pass."""
    mends = list(_MENDS.finditer(goal))
    if not mends or asks(goal) or any(_is_refused(goal, match) for match in mends):
        return False
    fails = _TESTS_FAIL.search(goal) and _MENDS_CODE.search(goal)
    demands = bool(_TESTS_PASS.search(goal) or fails) and not _NO_DEMAND.search(goal)
    return demands and not CHANGES_TESTS.search(goal)


def _is_refused(goal: str, match: re.Match[str]) -> bool:
    """Whether the sentence says before it that it is not to be done."""
    return bool(_REFUSED.search(SENTENCE_END.split(goal[: match.start()])[-1]))


_REFUSED = re.compile(
    r"\b(?:not|never|without|cannot|how|nor)\b|n't\b|不|勿|别|无需|禁止|如何|怎", re.IGNORECASE
)
_MENDS = re.compile(
    r"\b(?:repair|mend|fix|implement)\b(?! (?:nothing|none)\b)|修复|修改|改正|修好",
    re.IGNORECASE,
)
_TESTS_PASS = re.compile(
    r"(?<!whose )\btests?\b[^;\n]{0,60}\bpass\b|\bpytest passes\b|测试\S{0,8}通过",
    re.IGNORECASE,
)
# That tests fail says what is wrong only where the code is to be mended for it.
_TESTS_FAIL = re.compile(
    r"(?:^|[.!?;]\s+)(?:The |Some |All |Two |Three )?tests?(?: (?:in|of) [\w./-]+)? fails?\b"
    r"|测试失败了?[，。]?请?(?:修复|修好)",
    re.IGNORECASE,
)
_MENDS_CODE = re.compile(
    r"\b(?:repair|mend|fix)\s+(?:the\s+)?(?:code|modules?|bugs?|faults?|functions?|it|what)\b"
    r"|修复|修好",
    re.IGNORECASE,
)
_NO_DEMAND = re.compile(
    r"\b(?:needs? not|n't (?:need|have) to|(?:fine|ok|okay|all right) if|ignore|"
    r"leave (?:them|it)|already|yet)\b|不用管|不必|已(?:经)?通过|写明",
    re.IGNORECASE,
)


def _made_from(path: str, made: Sequence[str], goal: str) -> bool:
    """Whether the goal says, in one breath, to make a file out of this one."""
    of = re.escape(path)
    for new in made:
        breath = re.search(
            rf"(?<![\w./-]){re.escape(new)}[`'\"]?\s([^.;:,]*?)\b(?:from|of)\s+[`'\"]?{of}(?![\w/-])",
            goal,
        )
        if (
            breath
            and not re.search(r"\b(?:and|then|but)\b", breath[1])
            and not _CHANGES.search(breath[1])
        ):
            return True
    return False


def all_kept(request: DecomposeRequest, known: Mapping[str, str]) -> list[str]:
    """All files that are there, if they are not very many, where all that the goal tells to do is
    to read and to make new ones: whatever those files say, none of them is to be renamed or
    overwritten. Where a sentence begins with any other word, nobody can tell what it changes.
    """
    makes = [path for path in request.named if path not in request.existing]
    only_makes = makes and all(known.get(path) == "create" for path in makes)
    goal = _NOTHING_CHANGED.sub("", request.brief.goal)
    begins = [word.lower() for word in _BEGINS.findall(goal)]
    if not only_makes or _CHANGES.search(goal) or _ACTS.search(goal) or line_of_each(goal):
        return []
    if any(word not in _READS_OR_MAKES for word in begins):
        return []
    return list(request.existing) if len(request.existing) <= _MOST_KEPT else []


# What stands in quotes is what files hold, not what is to be done.
_QUOTED = re.compile(r"(?<![^\s(])\"(?=\S)[^\"\n]*\"|`[^`\n]*`|“[^”\n]*”")
_TESTS_DECIDE = re.compile(
    r"\btests?\b[^.;\n]{0,40}\b(?:pass|fail|green|right)\w*|\btest_\w+\.py\b[^.;\n]{0,30}\b(?:pass|fail)"
    r"|\bpass(?:es)?\b[^.;\n]{0,20}\btests?\b|\bpytest passes|测试\S{0,8}(?:通过|失败)",
    re.IGNORECASE,
)
# Where these may be meant for the tests, nobody can tell.
CHANGES_TESTS = re.compile(
    r"\b(?:writ(?:e|ing)|add|append|extend|rewrite|refactor|convert|replace|remove|delete|rename|"
    r"move|complete|improve|expected)\b|编写测试|添加|补充|改成|删除|重写",
    re.IGNORECASE,
)
_NOTHING_CHANGED = re.compile(
    r"\b(?:chang|modif|touch|edit)\w*\s+(?:nothing|no other)\b[^.;]*"
    r"|\b(?:(?:do|must|may|should) not|don't|without|never)\s+(?:be\s+)?"
    r"(?:chang|edit|modif|touch)\w*[^.;]*",
    re.IGNORECASE,
)
_BEGINS = re.compile(r"(?:^|[.;!?:]\s+|\n\s*)[`'\"]?([A-Za-z]+)")
_READS_OR_MAKES = frozenset(
    [
        *(
            "write",
            "make",
            "create",
            "produce",
            "save",
            "give",
            "list",
            "collect",
            "put",
            "i",
            "we",
        ),
        *(
            "read",
            "look",
            "find",
            "use",
            "search",
            "see",
            "check",
            "take",
            "go",
            "from",
            "in",
            "with",
        ),
        *("count", "add", "sum", "compute", "calculate", "compare", "determine", "tell", "answer"),
        *(
            "which",
            "what",
            "who",
            "how",
            "when",
            "where",
            "there",
            "the",
            "a",
            "each",
            "every",
            "one",
        ),
        *("it", "its", "all", "some", "please", "then", "our", "my", "empty", "for", "only", "as"),
    ]
)
_ACTS = re.compile(
    r"\b(?:run|execute|follow|convert|translat|sort the lines|in place|get rid|do the steps)\w*"
    r"|运行|执行|照着|翻译|转换|步骤",
    re.IGNORECASE,
)
_CHANGES = re.compile(
    r"\b(?:chang|edit|mend|repair|fix|upd|append|add(?! up)|insert|replac|renam|remov|dele|"
    r"correct|modif|rewrit|put|set|mov|tidy|clean|prepar|adapt|overwrit|extend|implement)"
    r"|[改加删移换]|更新|插入|修复|整理",
    re.IGNORECASE,
)


_REORDERS = re.compile(
    r"\b(?:sort|round|complete|convert|translat|revers|fill|reorder|shorten|clean)"
    r"|[排译补翻]",
    re.IGNORECASE,
)
_TAKEN = (
    r"(?:\b(?:of|from|read|using|than"
    r"|(?:number|count|sum|total|average) of (?:the |all |all the )?\w+(?: that are)? in)\s+"
    r"(?:the\s+file\s+)?|[从读取由据]\s*)"
    r"[`'\"“「]?(?<![\w./-]){name}(?![\w/-])"
)
_MENDED = (
    r"(?:\b(?:repair|mend|fix|implement)\s+"
    r"(?:(?:the\s+)?(?:bugs?|faults?|errors?|code|functions?)\s+(?:in|of)\s+"
    r"|[\w.]+(?:\([^)\n]*\))?\s+in\s+)?|(?:修复|修改|改正|修好)\s*)"
    r"[`'\"“「]?{name}(?![\w/-])"
)
_MADE = (
    r"(?:\b(?:write|make|create|produce|save|called|named)\s+(?:a\s+|an\s+|the\s+)?(?:new\s+)?"
    r"(?:file\s+|module\s+|table\s+)?|\b(?:to|into|as|in)\s+(?:a\s+|the\s+)?(?:new\s+)?(?:file\s+)?"
    r"|写入|写到|存入|存到|保存[为到]|合并[成到]|生成|输出[到为]|编写|创建|新建|命名为)\s*[`'\"“「]?{name}"
    r"|{name}[`'\"”」]?,?\s*[(（]?(?:with\s+)?(?:the\s+|a\s+)?(?:header\b|columns\b|表头)"
)
