"""What a goal says about the form of what a file holds."""

import re
from collections.abc import Sequence

from replan.nodes.decompose.parts import SENTENCE_END
from replan.state.task import Check

_DECIMALS = {
    "one": 1, "two": 2, "three": 3, "1": 1, "2": 2, "3": 3, "一": 1, "两": 2, "二": 2, "三": 3,
}  # fmt: skip
_PLACES = re.compile(
    r"\b(one|two|three|[123])\s+(?:decimals?|decimal places|places|digits after the)\b"
    r"|保留([一两二三123])\s*位小数",
    re.IGNORECASE,
)
_OF_NUMBER = re.compile(r"decimal|digits|小数", re.IGNORECASE)
_NUMBER = (
    r"(?:\bwrite\s+(?:only\s+|just\s+)?(?:the|its|their|this|that)\s+(?:\w+\s+)?"
    r"(?:number|sum|total|count|average|mean|median|difference)\b"
    r"(?:(?!\b(?:per|each|every|by|and|line|row)\b)[^.;:\n]){{0,60}}?"
    r"\b(?:to|into|in)\s+(?:the\s+file\s+)?[`'\"“]?{name}"
    r"|(?:只|仅)[^。；\n]{{0,8}}(?:数字|数值)[^。；\n]{{0,8}}[“「`'\"]?{name})"
)
_THING = r"(?:name|word|date|title|city|code|id|model|day|month|colour|color)"
# "Write the name of the winner to a.txt, nothing else", "only the date to a.txt".
_BRIEF = (
    r"(?:\bwrite\s+(?:the|its|their|his|her|this|that)\s+(?:\w+\s+)?"
    rf"{_THING}\b[^.;:,\n]{{{{0,40}}}}?\b(?:to|into|in)\s+[`'\"“]?{{name}}[`'\"”]?"
    r"\s*,?\s*(?:and\s+)?nothing else"
    r"|\bwrite\s+(?:only|just|nothing but)\s+(?:the|its|their|his|her)\s+(?:\w+\s+)?"
    rf"{_THING}\b[^.;:,\n]{{{{0,40}}}}?\b(?:to|into|in)\s+[`'\"“]?{{name}}"
    r"|(?:只|仅)写[^。；，\n]{{0,8}}(?:名字|名称|姓名|日期|型号)[^。；，\n]{{0,8}}[“「`'\"]?{name})"
)
_UNTOLD = re.compile(
    r"descending|decreasing|reverse|largest|highest|most|latest|newest|oldest|earliest|best|worst|"
    r"降序|从大到小|倒序|最新|最早",
    re.IGNORECASE,
)
_LINES_BY_NAME = re.compile(
    r"\b(?:in alphabetical order|alphabetically|sorted by (?:\w+ )?(?:name|path|title|key)s?)\b"
    r"|按(?:字母顺序|文件名|名称)(?:排序|排列)",
    re.IGNORECASE,
)
_ALONE = r"\b(?:one|each) (?:per|on a|on its own) line\b|每行一[个条]"
_LINE_EACH = re.compile(rf"{_ALONE}|\bas NAME=VALUE\b|\ba line (?:for )?each\b", re.IGNORECASE)
_LINES = re.compile(
    r"\b(?:every|each|all|only|those|the|these) lines? "
    r"(?:(?:of|from|in) (?:the )?[`'\"“]?[\w./-]+\.\w{1,5}\b"
    r"|(?:that|which|with|beginning|containing|starting)\b)"
    r"|\.\w{1,5}[`'\"”]?\s*[中里]的?(?:每一?行|所有)|的行",
    re.IGNORECASE,
)
_GAPS = re.compile(
    r"\b(?:blank|empty|double.spac\w*|letter|poem|story|essay)\b|\bparagraphs?\b|空行|段|信|诗|文章",
    re.IGNORECASE,
)
# One line "name: number" per name, sorted by name.
_LINE_FORM = re.compile(
    r"\b(?:one|a) line [`'\"“](\w+)\s*[:=]\s*\w+[`'\"”] (?:per|for each|for every)\b"
    r"|每[^，。；]{1,8}?一行\s*[`'\"“「](\w+)\s*[:：=]\s*\w+[`'\"”」]",
    re.IGNORECASE,
)
# "One per line, one decimal": each line is a number.
_EACH_WITH_PLACES = re.compile(
    r"\b(?:one|each) (?:per|on (?:a|its own)) line,?\s*(?:each\s+)?(?:(?:with|to|rounded to)\s+)?"
    r"(one|two|three|[123])\s+decimal|每行一个，?\s*保留([一两二三123])\s*位小数",
    re.IGNORECASE,
)
# A mark of one sign may well stand there twice: the one taken away leaves the other.
_UNPREFIXED = re.compile(
    r"\bbegin(?:s|ning)?\s+with\s+[`'\"“]([^\W\d_]{3}[^`'\"”\n]{0,37})[`'\"”][^;\n]{0,40}?"
    r"\bwithout (?:that|this|the|its) (?:beginning|prefix|start|mark)\b"
    r"|以\s*[`'\"“「]([^\W\d_]{2}[^`'\"”」\n]{0,38})[`'\"”」]\s*开头的行[^。；\n]{0,12}?去掉(?:这个|该)?(?:开头|前缀)",
    re.IGNORECASE,
)
_DIFFERENT = re.compile(
    r"\b(?:different|distinct|unique)\b|\b(?:each|every) (?:\w+ )?(?:only |just )?once\b"
    r"|\bwithout (?:repeats|repetition|duplicates)\b|不重复|去重|互不相同",
    re.IGNORECASE,
)
# What has a total of its own is named once.
_NAMES_BY_TOTAL = re.compile(
    r"\bnames? of (?:all |the |those )?\w+ (?:whose|with a) total\b"
    r"|总(?:数量?|量|和|额|价)[^，。；]{0,8}的\S{1,4}[，,]?\S{1,7}名",
    re.IGNORECASE,
)
_TABLE = re.compile(r"\bmarkdown table\b|\bas a table\b|markdown ?表格?", re.IGNORECASE)
_BY_COLUMN = re.compile(
    r"\b(?:sorted|ordered) by (?:the )?(\w+)\b(?!\s*(?:,|and|then)\s+(?:then|by))", re.IGNORECASE
)
_SAME_ROWS = re.compile(
    r"\bthe same rows\b|\ball (?:the )?rows\b|\bevery row\b|(?:所有|全部)行", re.IGNORECASE
)
FEWER = re.compile(
    r"\b(?:where|whose|without|except|only|remov\w*|drop\w*|dele\w*|duplic\w*|filter\w*|merg\w*)\b"
    r"|去除|删除|去重|只保留",
    re.IGNORECASE,
)


def forms_of(
    goal: str, path: str, columns: Sequence[str] = (), sources: Sequence[str] = ()
) -> list[Check]:
    """Checks of the form of the one file that the goal wants written.

    Args:
        goal: its own words; what they leave open is not checked.
        path: the file.
        columns: of a CSV file, as the goal gives them.
        sources: the files that the goal names and that are there.
    """
    found: list[Check] = []
    is_text = path.endswith((".txt", ".csv"))
    if path.endswith(".txt") and _search(_NUMBER, path, goal):
        places = _places(_PLACES.search(goal))
        found.append(Check(kind="number_only", path=path, text=places))
    elif path.endswith(".txt") and _search(_BRIEF, path, goal):
        found.append(Check(kind="brief_only", path=path))
    if is_text and not _UNTOLD.search(goal):
        by = _BY_COLUMN.search(goal)
        if path.endswith(".csv") and by and by.group(1) in columns:
            found.append(Check(kind="is_sorted", path=path, columns=[by.group(1)]))
        if path.endswith(".txt") and _LINES_BY_NAME.search(goal) and _LINE_EACH.search(goal):
            found.append(Check(kind="is_sorted", path=path))
    if path.endswith(".txt") and (form := _LINE_FORM.search(goal)):
        found += _of_lines(goal, path, form[1] or form[2])
    about = " ".join(one for one in SENTENCE_END.split(goal) if path in one)
    if path.endswith(".txt") and (told := _EACH_WITH_PLACES.search(about)):
        found.append(Check(kind="decimals", path=path, text=_places(told)))
    once = _DIFFERENT.search(goal) or _NAMES_BY_TOTAL.search(goal)
    if path.endswith(".txt") and once and _LINE_EACH.search(goal):
        found.append(Check(kind="no_repeats", path=path))
    if path.endswith(".md") and _TABLE.search(goal):
        found.append(Check(kind="has_table", path=path))
    tables = [source for source in sources if source.endswith(".csv")]
    same = path.endswith(".csv") and _SAME_ROWS.search(goal) and not FEWER.search(goal)
    if same and len(tables) == 1 and path not in tables:
        found.append(Check(kind="as_many_rows", path=path, text=tables[0]))
    return found


def one_a_line(goal: str) -> bool:
    """Whether each line of a text is one thing alone, and not of a form that the goal gives."""
    return bool(_ONE_A_LINE.search(goal)) and not _OF_SEVERAL.search(goal)


_ONE_A_LINE = re.compile(
    r"\b(?:one|each) (?:per|on a|on its own) line\b|每行一[个条]", re.IGNORECASE
)
_OF_SEVERAL = re.compile(
    r"[`'\"“「][^`'\"”」\n]*[^\w.`'\"”」/-][^`'\"”」\n]*[`'\"”」]|\bNAME=VALUE\b|[:：()（）]"
    r"|\b(?:and|with (?:its|their|how)|followed by|separated|together|then)\b|[和及与]|以及",
    re.IGNORECASE,
)


def places_told(goal: str) -> int | None:
    """How many decimals the goal wants of its numbers; None where it says none, or several."""
    told = {_places(one) for one in _PLACES.finditer(goal) if _OF_NUMBER.search(one.group())}
    return int(told.pop()) if len(told) == 1 else None


def _places(told: re.Match[str] | None) -> str:
    """How many decimals the words tell, "" where they tell none."""
    return str(_DECIMALS[(told.group(1) or told.group(2)).lower()]) if told else ""


def _of_lines(goal: str, path: str, name: str) -> list[Check]:
    """Checks of a text of lines such as "name: number"."""
    found = []
    said = next((one for one in SENTENCE_END.split(goal) if _LINE_FORM.search(one)), "")
    if (told := _PLACES.search(said)) and re.search(r"decimal|小数", told.group()):
        found.append(Check(kind="decimals", path=path, text=_places(told)))
    by = _BY_COLUMN.search(goal)
    if by and by.group(1).casefold() == name.casefold() and not _UNTOLD.search(goal):
        found.append(Check(kind="is_sorted", path=path))
    return found


def lines_of(goal: str, writes: Sequence[str]) -> list[Check]:
    """Checks of the texts whose lines are what the goal speaks of. Unless it speaks of empty ones:
    a script that adds a line break to lines that have theirs leaves every second one empty.
    """
    texts = [path for path in writes if path.endswith(".txt")]
    found: list[Check] = []
    if _LINES.search(goal) and not _GAPS.search(goal):
        found += [Check(kind="no_gaps", path=path) for path in texts]
    if len(texts) == 1 and (prefix := _UNPREFIXED.search(goal)):
        found.append(Check(kind="no_line_begins", path=texts[0], text=prefix[1] or prefix[2]))
    return found


def _search(pattern: str, path: str, goal: str) -> bool:
    return bool(re.search(pattern.format(name=re.escape(path)), goal, re.IGNORECASE))
