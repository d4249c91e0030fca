"""Whether what a task is to make has to be computed, or can be written from what is told."""

import re

from replan.nodes.contract import SelectToolRequest
from replan.nodes.groups import told_of_labels, told_of_one_form
from replan.nodes.named_files import files_in_named_folders, files_meant, named_files
from replan.nodes.survey import ARCHIVES, DATA, TABLES, is_told_nearest, shows_whole

_COMPOSES = re.compile(
    r"\b(?:repl(?:y|ies)|letter|answer to|summary|summari[sz]e|describe|explain|translat\w+|"
    r"rewrit(?:e|ing)|rephrase|reword)\b|回复|信|总结|说明|翻译|润色|改写",
    re.IGNORECASE,
)
_LINES_OF = re.compile(
    r"\blines (?:of|in|from) (?:the file )?[`'\"“]?([\w./-]+\.\w{1,5})\b"
    r"|([\w./-]+\.[A-Za-z0-9]{1,5})[`'\"”」]?\s*[中里]?的?(?:每一?行|所有行|各行|行(?![动为业程]))",
    re.IGNORECASE,
)
_PROSE = (".md", ".rst", ".html", ".tex")
_BOOKS = (".xlsx", ".parquet", ".sqlite", ".db")
BINARY = (*ARCHIVES, *_BOOKS, ".ods")
_DATA = (*TABLES, *_BOOKS, ".json")
# One thing about somebody or something; of many, or of how much, a script is the judge.
_FINDS_OUT = re.compile(
    r"\bfind out\b(?:[^.;\n]|\.\w)*?\b(?:(?:who|where|when|what|which \w+)\b[^.;\n]{1,40}?"
    r"\b(?:is|was|lives?|works?|has)\b|\w+ is called\b)"
    r"|(?:找出|查出|找到)[^。；\n]*?(?:谁|哪里|哪个|哪一|什么时候|叫什么)",
    re.IGNORECASE,
)
_OF_ALL = re.compile(
    r"\b(?:count|how (?:many|often|much|long)|number of|sum|totals?|averages?|each|every|all|"
    r"per|most|least|more|fewer|sort\w*|longest|shortest|highest|lowest|last|latest|first|lines?|"
    r"words?|convert|copy|extract|replace|between|addresses|names|dates|duplicates?)\b"
    r"|每|所有|全部|多少|几|最|总|行|重复|出现|邮箱|列表",
    re.IGNORECASE,
)
_AND_SO_ON = re.compile(
    r"\.\w{1,5}[`'\"”]?,?\s*(?:and so (?:on|forth)\b|etc\b(?!/))|[以依]此类推", re.IGNORECASE
)


def must_compute(request: SelectToolRequest) -> bool:
    """Whether only a script can make what the task writes."""
    return not tells_facts(request) and (
        _data_unseen(request)
        or writes_data(request)
        or goes_over_files(request)
        or _goes_over_lines(request)
        or _makes_series(request)
        or _changes_each(request)
        or _opens_binary(request)
    )


def tells_facts(request: SelectToolRequest) -> bool:
    """Whether what a text says of somebody or something is to be found out, and what is nearest to
    the goal in it is told: a script finds it by words that it has to guess.
    """
    task, survey = request.task, request.brief.survey
    if task.tries or not task.writes or _OF_ALL.search(task.headline):
        return False
    named = [one for one in named_files(task.title, request.existing) if one in request.existing]
    meant = {*named, *files_meant(task.title, request.existing)}
    told = bool(meant) and all(is_told_nearest(survey, path) for path in meant)
    return told and bool(_FINDS_OUT.search(task.headline))


def writes_data(request: SelectToolRequest) -> bool:
    """Whether the result is data made from files that are there: for a script to read and make."""
    writes = request.task.writes
    return bool(writes and request.existing) and all(path.endswith(_DATA) for path in writes)


def goes_over_files(request: SelectToolRequest) -> bool:
    """Whether the goal names a folder of files of one form, of which the prompt shows one or tells
    how to get at what they hold, and wants anything but prose of it.
    """
    goal, survey = request.brief.goal, request.brief.survey
    inside = files_in_named_folders(goal, request.existing)
    prose = bool(request.task.writes) and all(path.endswith(_PROSE) for path in request.task.writes)
    unseen = not all(shows_whole(survey, path) for path in inside)
    by_code = unseen or (told_of_labels(survey) and not _COMPOSES.search(goal))
    return by_code and not prose and bool(told_of_one_form(survey, inside[:1]))


def _goes_over_lines(request: SelectToolRequest) -> bool:
    """Whether the result is made of the lines of a text that is there: by hand one gets lost."""
    task = request.task
    if task.tries or _COMPOSES.search(task.headline):
        return False
    texts = bool(task.writes) and all(path.endswith(".txt") for path in task.writes)
    source = next(iter(_LINES_OF.findall(task.headline)), ("", ""))
    return texts and (source[0] or source[1]) in request.existing


def _makes_series(request: SelectToolRequest) -> bool:
    """Whether the files that the goal names are the first of many that are made of one."""
    task = request.task
    words = task.headline
    if task.tries or not request.existing or not task.writes or _COMPOSES.search(words):
        return False
    return bool(_AND_SO_ON.search(words))


def _changes_each(request: SelectToolRequest) -> bool:
    """Whether several files are to get something, beside what is written."""
    task = request.task
    others = {one.path for one in task.checks if one.kind == "file_contains"} - {*task.writes}
    return len(others) > 1


def _opens_binary(request: SelectToolRequest) -> bool:
    """Whether the task names an archive or a database: what is in it only a script can see."""
    named = named_files(request.task.headline, request.existing)
    return any(path in request.existing and path.endswith(BINARY) for path in named)


def _data_unseen(request: SelectToolRequest) -> bool:
    """Whether files are there of which the prompt shows only the beginning."""
    return any(is_data(path, request.brief.survey) for path in request.existing)


def is_data(path: str, survey: str) -> bool:
    """Whether the file's lines are for code to read: the survey shows the first of them alone."""
    if f"{path} begins (" not in survey:  # of thousands of paths hardly any is there
        return False
    return bool(re.search(rf"^{re.escape(path)} begins \(\d+ {DATA}\)", survey, re.MULTILINE))
