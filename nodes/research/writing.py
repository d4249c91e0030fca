"""Puts a report together from claims that were checked. Nothing is added: no model takes part."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from replan.nodes.language import language_of
from replan.state.research import Citation, Claim, Section

_QUOTE_CHARS = 400
# What a claim may hold of the marks that the report makes itself.
_MARKS = re.compile(r"\[(?:\^?\d+(?:\s*[,，-]\s*\d+)*)\]|【\d+[^】]*】")


class _Labels(NamedTuple):
    sources: str
    nothing: str
    left_out: str
    quote: tuple[str, str]


_ENGLISH = _Labels(
    "Sources",
    "No source was found that says anything about this.",
    "Statements left out because their sources do not hold them: {count}.",
    ("“", "”"),
)
_LABELS = {
    "Chinese": _Labels(
        "来源", "没有找到对此有所说明的来源。",
        "因来源不支持而未采用的陈述：{count} 条。", ("“", "”"),
    ),
    "Japanese": _Labels(
        "出典", "これについて述べる出典は見つからなかった。",
        "出典に裏付けられず採用しなかった記述：{count} 件。", ("「", "」"),
    ),
    "Korean": _Labels(
        "출처", "이에 대해 말하는 출처를 찾지 못했다.",
        "출처가 뒷받침하지 않아 뺀 진술: {count}개.", ("“", "”"),
    ),
    "Russian": _Labels(
        "Источники", "Источников, в которых об этом что-либо сказано, не найдено.",
        "Утверждений, не подтверждённых источниками и потому опущенных: {count}.", ("«", "»"),
    ),
}  # fmt: skip


def written(
    goal: str,
    title: str,
    sections: Sequence[Section],
    claims: Sequence[Claim],
    dropped: int,
) -> tuple[str, list[Citation]]:
    """The report as Markdown, in the goal's language as far as its letters tell, and its citations.

    Args:
        goal: what the report is about.
        title: its title.
        sections: in order.
        claims: those that were found to hold.
        dropped: how many were not.
    """
    labels = _LABELS.get(language_of(goal), _ENGLISH)
    numbers: dict[str, int] = {}
    lines, citations = [f"# {_line(title)}"], []
    for section in sections:
        lines += ["", f"## {_line(section.heading)}", ""]
        own = [claim for claim in claims if claim.section == section.id]
        if not own:
            lines.append(labels.nothing)
        said = []
        for claim in own:
            number = numbers.setdefault(claim.source.name, len(numbers) + 1)
            text = _statement(claim, labels)
            said.append(f"{text} [{number}]")
            citations.append(
                Citation(
                    number=number,
                    section=section.id,
                    claim=text,
                    source=claim.source.name,
                    title=claim.source.title,
                    place=claim.source.place,
                    passage=claim.passage,
                )
            )
        lines += [" ".join(said)] if said else []
    if numbers:
        lines += ["", f"## {labels.sources}", "", *_listed(numbers, citations, labels)]
    if dropped:
        lines += ["", labels.left_out.format(count=dropped)]
    return "\n".join(lines) + "\n", citations


def _statement(claim: Claim, labels: _Labels) -> str:
    text = _line(_MARKS.sub("", claim.text))
    before, after = labels.quote
    return f"{before}{text}{after}" if claim.quoted else text


def _listed(numbers: dict[str, int], citations: Sequence[Citation], labels: _Labels) -> list[str]:
    lines = []
    before, after = labels.quote
    for name, number in numbers.items():
        own = [one for one in citations if one.number == number]
        title = next((one.title for one in own if one.title), "")
        lines.append(f"[{number}] {f'{_line(title)}, ' if title else ''}{_line(name)}")
        for place, passage in dict.fromkeys((one.place, one.passage) for one in own):
            where = f"{place}: " if place else ""
            lines.append(f"    - {where}{before}{_line(passage)[:_QUOTE_CHARS]}{after}")
    return lines


def _line(text: str) -> str:
    return " ".join(text.split())
