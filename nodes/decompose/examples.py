"""What a goal shows by example: calls with what they give, and the keys of an object."""

import ast
import json
import re
from collections.abc import Sequence
from pathlib import PurePath
from typing import Any

from replan.nodes.named_files import files_in_named_folders

_MOST_CALLS = 6
_MOST_NAMES = 30
_MOST_CHARS = 200
_CALL = re.compile(r"(?<![\w.])([A-Za-z_]\w*)\(")
# What stands between a call and what it gives.
_GIVES = re.compile(
    r"[`'\"”]?\s*(?:should\s+|must\s+|has\s+to\s+|will\s+)?"
    r"(?:is|be|equals?|returns?|gives?|yields?|becomes?|turns? into|evaluates to|==?|=>|->|→|"
    r"应?返回|等于|得到|结果(?:是|为)|应?为|是)\s*[:：]?\s*[`]?"
)
_RAISES = re.compile(
    r"[`'\"”]?\s*(?:raises?|throws?|应?抛出)\s*(?:an?\s+)?`?([A-Z]\w*(?:Error|Exception))"
)
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?![\w.]*\w)")
_WORD = re.compile(r"(?:True|False|None)\b")
_CLOSED_BY = {"(": ")", "[": "]", "{": "}"}


def calls_in(goal: str) -> list[str]:
    """The calls whose outcome the goal tells, as Python: `f('a') == 1`, `f('') raises ValueError`.

    Only calls of a plain name with literal arguments count, told at once behind the call.
    """
    found: list[str] = []
    for match in _CALL.finditer(goal):
        call = _bracketed(goal, match.end() - 1)
        if not call or not _is_literal_call(told := f"{match.group(1)}{call}"):
            continue
        rest = goal[match.end() - 1 + len(call) :][: 2 * _MOST_CHARS]
        if raises := _RAISES.match(rest):
            found.append(f"{told} raises {raises.group(1)}")
        elif (gives := _GIVES.match(rest)) and (value := _literal(rest[gives.end() :])):
            found.append(f"{told} == {value}")
    return list(dict.fromkeys(found))[:_MOST_CALLS]


def keys_in(goal: str) -> list[str]:
    """The keys that an object has to have: those of an object that is written out in the goal, if
    the goal names each of them beside it too; or those it lists behind the word "keys".
    """
    for at, mark in enumerate(goal):
        if mark != "{" or not (told := _bracketed(goal, at)):
            continue
        try:
            held = json.loads(told)
        except ValueError:
            continue
        beside = goal.replace(told, " ")
        if isinstance(held, dict) and len(held) > 1 and all(key in beside for key in held):
            return list(held)
    if listed := _KEYS.search(goal):
        keys = [
            name.strip()
            for name in _NAME.findall(_ASIDE.sub("", listed.group(1) or listed.group(2)))
        ]
        keys = [key for key in keys if key.lower() not in ("and", "or")]
        return keys if len(keys) > 1 and not _NOT_KEYS & {key.lower() for key in keys} else []
    return []


def names_as_keys(goal: str, existing: Sequence[str]) -> list[str]:
    """The names without ending of the files in the folder that the goal names, where it wants them
    as the keys of an object.
    """
    if not _NAMES_AS_KEYS.search(goal) or _SOME_ONLY.search(goal):
        return []
    files = files_in_named_folders(goal, existing)
    kinds = {path.rpartition("/")[0] + PurePath(path).suffix for path in files}
    names = sorted(PurePath(path).stem for path in files)
    return names if len(kinds) == 1 and len(names) <= _MOST_NAMES else []


_SOME_ONLY = re.compile(
    r"\b(?:that|which|whose|where|only|contain\w*|except|with a)\b(?! is done)|含有|包含|只|除",
    re.IGNORECASE,
)
_NAMES_AS_KEYS = re.compile(
    r"\bfile ?names? without (?:the |its |their )?(?:ending|extension|suffix|[`'\"]?\.\w+[`'\"]?)"
    r"\s+as (?:the |a )?keys?\b|以?文件名[（(]?(?:不含|不带|去掉)\S{1,8}?[）)]?\s*[作为]{1,2}键",
    re.IGNORECASE,
)
_ITEM = r"[`'\"“]?[A-Za-z_][\w-]*[`'\"”]?(?:\s*\([^()]*\))?"
_KEYS = re.compile(
    rf"\b(?:keys|fields)\s*:?\s+({_ITEM}(?:\s*,\s*(?:and\s+)?{_ITEM}|\s+and\s+{_ITEM})+)"
    rf"|(?:键|字段)(?:为|是|：|:)?\s*({_ITEM}(?:\s*[、，,和]\s*{_ITEM})+)"
)
_NAME = re.compile(r"[A-Za-z_][\w-]*")
_ASIDE = re.compile(r"\([^()]*\)")
_NOT_KEYS = {"are", "is", "in", "of", "as", "the", "values", "which", "that", "with", "for", "be"}


def _bracketed(text: str, start: int) -> str:
    """From an opening bracket to the one that closes it; "" when none does."""
    wanted: list[str] = []
    quote = ""
    for at in range(start, min(len(text), start + _MOST_CHARS)):
        mark = text[at]
        if quote:
            quote = "" if mark == quote and text[at - 1] != "\\" else quote
        elif mark in "'\"":
            quote = mark
        elif mark in _CLOSED_BY:
            wanted.append(_CLOSED_BY[mark])
        elif wanted and mark == wanted[-1]:
            wanted.pop()
            if not wanted:
                return text[start : at + 1]
    return ""


def _is_literal_call(told: str) -> bool:
    try:
        call = ast.parse(told, mode="eval").body
        if not isinstance(call, ast.Call) or not (call.args or call.keywords):
            return False
        values: list[Any] = [*call.args, *(one.value for one in call.keywords)]
        for value in values:
            ast.literal_eval(value)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def _literal(text: str) -> str:
    """The Python literal that the text begins with; "" when there is none."""
    if word := _NUMBER.match(text) or _WORD.match(text):
        return word.group()
    told = ""
    if text[:1] in ("'", '"'):
        end = text.find(text[0], 1)
        told = text[: end + 1] if end > 0 else ""
    elif text[:1] in _CLOSED_BY:
        told = _bracketed(text, 0)
    try:
        ast.literal_eval(told)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ""
    return told
