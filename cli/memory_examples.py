"""What the help of each command of `replan memory` shows at its end."""

LIST_EXAMPLES = """\b
Examples:
  replan memory list
  replan memory list --kind fact --kind skill --limit 100
  replan memory list --all --user anna --project reports --json
"""

SEARCH_EXAMPLES = """\b
Examples:
  replan memory search "which encoding do the exports want"
  replan memory search "导出用什么编码" --kind fact --json
"""

SHOW_EXAMPLES = """\b
Examples:
  replan memory show 3f9a1c
  replan memory show 3f9a1c --json
"""

ADD_EXAMPLES = """\b
Examples:
  replan memory add "The exports of the shop are in UTF-16" --importance 0.8
  replan memory add "Since May the exports are in UTF-8" --supersedes 3f9a1c
  replan memory add - --kind experience < lesson.txt
"""

FORGET_EXAMPLES = """\b
Examples:
  replan memory forget 3f9a1c 77b0e2
  replan memory forget --all --kind experience --project reports --yes

\b
Exit codes: 0 forgotten; 1 nothing was, since the answer was no; 2 bad input, or nobody is there
to be asked.
"""

EXPORT_EXAMPLES = """\b
Examples:
  replan memory export memories.jsonl
  replan memory export - --user anna --kind skill | gzip > skills.jsonl.gz
"""

IMPORT_EXAMPLES = """\b
Examples:
  replan memory import memories.jsonl
  gunzip -c skills.jsonl.gz | replan memory import - --user bob
"""

STATS_EXAMPLES = """\b
Examples:
  replan memory stats
  replan memory stats --json
"""
