"""The look into the documents that has to come before a file is written from them.

A small model that is to write a file writes a script, which finds the documents nowhere: they are
not in the workspace. So the goal's own words are looked up before it is asked.
"""

import re

from replan.nodes.contract import SelectToolRequest
from replan.nodes.select_tool.offers import is_code_task
from replan.state.task import Action
from replan.tools.toolbox import Toolbox

_QUERY_CHARS = 300
_DOCUMENTS = re.compile(
    r"\b(?:documents?|documentation|handbooks?|manuals?|guidelines?|policies|policy|papers?|"
    r"data ?sheets?|knowledge base|records?)\b|文档|文件资料|资料|手册|制度|规章",
    re.IGNORECASE,
)


def first_look(request: SelectToolRequest, tools: Toolbox) -> Action | None:
    """The search, None where the task needs none, has made it, or knows from earlier tasks.

    Args:
        request: the task and what was tried.
        tools: what can be called; the search is among them where there are documents.
    """
    task = request.task
    if not task.writes or task.rounds or task.attempts or request.earlier or is_code_task(request):
        return None
    if not any(tool.name == "search_documents" for tool in tools.available()):
        return None
    if request.existing and not _DOCUMENTS.search(request.brief.goal):
        return None
    words = request.brief.goal
    for path in task.writes:
        words = words.replace(path, " ")
    query = " ".join(words.split())[:_QUERY_CHARS]
    return Action(tool="search_documents", args={"query": query})
