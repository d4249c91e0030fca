"""Chooses by the server's own tool calling."""

from replan.nodes.contract import SelectToolRequest, SelectToolResult, Use
from replan.nodes.select_tool.conversation import conversation, temperature
from replan.nodes.select_tool.first_look import first_look
from replan.nodes.select_tool.given_calls import given_call
from replan.nodes.select_tool.mending import read_editable
from replan.nodes.select_tool.offers import is_code_task, offered
from replan.state.task import Action
from replan.tools.tables.query_tables import QueryTables
from replan.tools.tables.reading import is_table


class SelectNatively:
    """One question; choice and content come together as a tool call.

    For models trained to call tools. The embedded one is not: it writes the call as text.
    """

    async def __call__(self, request: SelectToolRequest, use: Use) -> SelectToolResult:
        """The next tool call of the task."""
        if call := given_call(request.task) or first_look(request, use.tools):
            return SelectToolResult(action=call)
        sources = await read_editable(request, use.tools.workspace)
        names = {tool.name for tool in offered(request, use.tools, sources)}
        if not is_code_task(request) and any(map(is_table, request.existing)):
            names.add(QueryTables.name)
        schemas = [schema for schema in use.tools.schemas() if schema["function"]["name"] in names]
        name, args = await use.model.tool_call(
            conversation(request, use.tools, sources, natively=True),
            schemas,
            max_tokens=1500,
            temperature=temperature(request.task),
        )
        return SelectToolResult(action=Action(tool=name, args=args))
