"""The run's context as Studio's form and the SDK see it: with the choices there are today."""

from typing import Any

from pydantic import GetJsonSchemaHandler
from pydantic_core import CoreSchema

from replan.graphs.strategies import strategies
from replan.nodes.registry import names
from replan.state.context import ROLES, Context


class OfferedContext(Context):
    """The context whose JSON schema lists the strategies, and the implementations of every role,
    those of entry points too. Which there are, `state` cannot know.
    """

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """The schema of the fields, with the choices put in."""
        schema = handler.resolve_ref_schema(handler(core_schema))
        fields = schema["properties"]
        for role in ROLES:
            own = {"type": "string", "pattern": "^[^:]+:[^:]+$", "title": "module:attribute"}
            _offer(fields[role], names(role), own)
        _offer(fields["strategy"], ["", *strategies()])
        schema["title"] = Context.__name__
        return schema


def _offer(field: dict[str, Any], choices: list[str], *others: dict[str, Any]) -> None:
    """Put the choices in, as a union of what is known by name and of other forms has it."""
    kind = field.pop("type", "string")
    field.pop("maxLength", None)
    known = {"type": kind, "enum": choices}
    if others:
        field.update(anyOf=[known, *others], examples=choices)
    else:
        field.update(known)
