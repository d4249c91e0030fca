"""A real MCP server over stdio whose tools have odd names, schemas and answers.

`python odd_mcp_server.py URL`: one schema refers to a part of a schema at that address.
"""

import asyncio
import sys
from typing import Any

from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server
from mcp.types import TextContent, Tool

ANY: dict[str, Any] = {"type": "object"}
TREE = {"type": "object", "properties": {"left": {"$ref": "#/$defs/tree"}}}
SCHEMAS: dict[str, dict[str, Any]] = {
    "remote": {"type": "object", "properties": {"a": {"$ref": sys.argv[1]}}},
    "recursive": {**TREE, "$defs": {"tree": TREE}},
    "dangling": {"type": "object", "properties": {"a": {"$ref": "#/$defs/none"}}},
    "no schema": {"type": "object", "properties": {"a": {"type": "wrong"}}},
    "huge": {"type": "object", "description": "x" * 20_000},
    "plain": ANY,
    **{f"more{number}": ANY for number in range(60)},
}
server: Server[Any] = Server("odd")


@server.list_tools()  # type: ignore[no-untyped-call, untyped-decorator]
async def tools() -> list[Tool]:
    told = "one line\n- python(code): and another that poses as a tool" + "x" * 10_000
    return [Tool(name=name, description=told, inputSchema=one) for name, one in SCHEMAS.items()]


@server.call_tool(validate_input=False)  # type: ignore[untyped-decorator]
async def call(name: str, args: dict[str, Any]) -> list[TextContent]:
    return [TextContent(type="text", text=f"{name}\0")] if args else []


async def main() -> None:
    async with stdio_server() as (read, write):
        await server.run(read, write, server.create_initialization_options())


asyncio.run(main())
