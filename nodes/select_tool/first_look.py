"""The looks that have to come before the model is asked: into the documents, and into files.

A small model that is to write a file writes a script, which finds the documents nowhere: they are
not in the workspace. And of files that it has not seen it makes up what is in them. So the goal's
own words are looked up, and the files that the task's words mean are read, before it is asked.
"""

import re

from replan.nodes.contract import SelectToolRequest
from replan.nodes.select_tool.offers import is_code_task, unread_of_meant
from replan.state.task import Action
from replan.tools.toolbox import Toolbox

_QUERY_CHARS = 300
_DOCUMENTS = re.compile(
    r"\b(?:documents?|documentation|handbooks?|manuals?|guidelines?|policies|policy|papers?|"
    r"data ?sheets?|knowledge base|records?)\b|文档|文件资料|资料|手册|制度|规章",
    re.IGNORECASE,
)


def first_look(request: SelectToolRequest, tools: Toolbox) -> Action | None:
    """The next of them; None where the task needs none, has made them, or knows from earlier tasks.

    Args:
        request: the task and what was tried.
        tools: what can be called; the search is among them where there are documents.
    """
    task = request.task
    asked = any(not one.action.unasked for one in task.attempts)
    if not task.writes or task.tries or asked or request.earlier or is_code_task(request):
        return None
    there = {tool.name for tool in tools.available()}
    if not task.rounds and "search_documents" in there and (query := _query(request)):
        return Action(tool="search_documents", args={"query": query}, unasked=True)
    if "read_file" in there and (unread := unread_of_meant(request)):
        return Action(tool="read_file", args={"path": unread[0]}, unasked=True)
    return None


def _query(request: SelectToolRequest) -> str:
    """The goal's words without the names of the files to write; "" where it is about files."""
    if request.existing and not _DOCUMENTS.search(request.brief.goal):
        return ""
    words = request.brief.goal
    for path in request.task.writes:
        words = words.replace(path, " ")
    return " ".join(words.split())[:_QUERY_CHARS]
