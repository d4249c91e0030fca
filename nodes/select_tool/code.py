"""Chooses by writing code: the action is a Python script in which the other tools are functions.

CodeAct (Wang et al. 2024, "Executable Code Actions Elicit Better LLM Agents"). For models that
write good code: one turn of the model does what takes others several.
"""

import json

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage

from replan.nodes.briefing import briefing, marked
from replan.nodes.contract import SelectToolRequest, SelectToolResult, Use
from replan.nodes.select_tool.conversation import OTHER, task_told, temperature, told
from replan.nodes.select_tool.fenced import fenced
from replan.nodes.select_tool.given_calls import given_call
from replan.nodes.select_tool.run_on import cut_run_on
from replan.nodes.select_tool.single_call import single_call
from replan.state.task import Action, Attempt
from replan.tools.code_action import CodeAction, functions
from replan.tools.protocol import Tool
from replan.tools.toolbox import Toolbox

_TOKENS = 1600
_CODE_CHARS = 3000

RULES = """\
You act by one Python script. In it these are functions, beside all of Python; each takes its \
arguments by name, returns its result as a text, and raises ToolError with the reason when it fails:
{functions}
Print what you need to see. A script that is one call of a function and nothing else is made as \
that call."""
ASK = "Write the script that does the most of it now, in one block ```python ... ```."


class SelectByCode:
    """One question: a script. Where that is a single call of a tool, the action is that call, so
    that a person can be asked about it and its result comes back as it is.
    """

    async def __call__(self, request: SelectToolRequest, use: Use) -> SelectToolResult:
        """The script that does the most of the task now."""
        if given := given_call(request.task):
            return SelectToolResult(action=given)
        code = await self._script(_messages(request, use.tools), request, use)
        call = single_call(code, _callable(use.tools))
        return SelectToolResult(action=call or Action(tool=CodeAction.name, args={"code": code}))

    async def _script(
        self, messages: list[BaseMessage], request: SelectToolRequest, use: Use
    ) -> str:
        warmth = temperature(request.task)
        answer = await use.model.text(messages, max_tokens=_TOKENS, temperature=warmth)
        code = fenced(answer)
        return (use.model.truncated and cut_run_on(code)) or code


def _messages(request: SelectToolRequest, tools: Toolbox) -> list[BaseMessage]:
    """The task, each attempt in the turns in which it happened, and the question."""
    task = request.task
    lines = "\n".join(
        f"- {one.function}({', '.join(one.arguments)}): {one.description}"
        for one in functions(_callable(tools))
    )
    parts = [*task_told(request), RULES.format(functions=lines)]
    if task.hints:
        parts.append(marked("\n".join(task.hints), "From earlier runs"))
    messages = briefing(request.brief, tools, "\n".join([*parts, ASK]))
    for attempt in task.attempts:
        ask = f"{OTHER} {ASK}" if attempt.verdict == "retry" else ASK
        messages += [AIMessage(_said(attempt)), HumanMessage(f"{told(attempt)}\n{ask}")]
    return messages


def _said(attempt: Attempt) -> str:
    """An attempt as the script that it was, or would have been."""
    action = attempt.action
    if code := action.args.get("code"):
        return f"```python\n{str(code)[:_CODE_CHARS].rstrip()}\n```"
    args = ", ".join(f"{name}={_literal(value)}" for name, value in action.args.items())
    return f"```python\n{action.tool}({args})\n```"


def _literal(value: object) -> str:
    return repr(value) if not isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _callable(tools: Toolbox) -> list[Tool]:
    return [tool for tool in tools.available() if not getattr(tool, "runs_given_code", False)]
