"""What the desk knows of a message: plain JSON, in a file that langgraph.json does not name."""

from typing import Any, NotRequired

from typing_extensions import TypedDict


class Message(TypedDict):
    """What comes in."""

    customer: str
    message: str


class Desk(TypedDict, total=False):
    """All channels. `kind` is question, complaint or other; `reply` is what would be sent, `by`
    who wrote it; `objection` is what the review had against it, `drafts` how many there were.
    """

    customer: str
    message: str
    kind: str
    reply: str
    by: str
    objection: str
    drafts: int
    sent: bool


class Sent(TypedDict):
    """What comes out."""

    kind: str
    reply: str
    by: str
    sent: bool


class Asked(TypedDict):
    """What a person is asked, as the value of an interrupt."""

    kind: str
    customer: str
    message: str
    draft: str
    objection: NotRequired[str]


class Answer(TypedDict):
    """What a person answers: the reply to be sent, "" for none."""

    reply: str


def asked_of(desk: Desk) -> dict[str, Any]:
    """The question for a person."""
    return {
        "kind": desk["kind"],
        "customer": desk["customer"],
        "message": desk["message"],
        "draft": desk.get("reply", ""),
        "objection": desk.get("objection", ""),
    }
