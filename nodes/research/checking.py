"""Checks the claims of a report, each against its source as that is now."""

from collections.abc import Awaitable, Callable, Sequence

from replan.nodes.research.support import plain, problem_of
from replan.state.research import Claim
from replan.state.task import Source

# The whole text of a source; "" where there is none any more.
TextOf = Callable[[Source], Awaitable[str]]


async def checked_claims(
    claims: Sequence[Claim], text_of: TextOf
) -> tuple[list[Claim], list[Claim]]:
    """The claims that their sources hold, and those that they do not, with what is wrong.

    Where only the wording does not hold, the passage itself takes the statement's place: that the
    source says. A statement that two sections make stays in the first.

    Args:
        claims: of all sections, in their order.
        text_of: reads a source.
    """
    held: list[Claim] = []
    dropped: list[Claim] = []
    texts: dict[tuple[str, str, str], str] = {}
    said: set[str] = set()
    for claim in claims:
        key = claim.source.kind, claim.source.name, claim.source.text
        if key not in texts:
            texts[key] = await text_of(claim.source)
        problem = problem_of(claim.text, claim.passage, texts[key])
        if problem:
            dropped.append(claim.model_copy(update={"problem": problem}))
            if plain(claim.passage) not in plain(texts[key]):
                continue
            claim = claim.model_copy(update={"text": claim.passage, "quoted": True})
        if plain(claim.text) in said:
            continue
        said.add(plain(claim.text))
        held.append(claim)
    return held, dropped
