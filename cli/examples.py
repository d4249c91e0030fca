"""What the help of each command shows at its end."""

RUN_EXAMPLES = """\b
Examples:
  replan run "Sum the amounts in sales.csv per region into report.md" --workspace .
  replan run "Write prime.py and tests for it" --max-steps 20 --json
  replan run "..." --model gpt-5-mini --set plan=dag --set report=template
  replan run "Which of the sites has the most staff?" --strategy rewoo --set report=template
  replan run "..." --approve allow:web_search --approve "deny:write_file(*.md)"
  replan run - < goal.txt

\b
Exit codes: 0 done; 1 not done; 2 bad input or configuration; 3 waiting for a person;
130 interrupted, and resumable.
"""

RESEARCH_EXAMPLES = """\b
Examples:
  replan research "What do our contracts say on notice periods?" --documents ~/contracts
  replan research "研究并撰写一篇关于 Web3.0 市场前景的详细分析报告" --approve allow:web_search \
      --approve allow:read_page
  replan research "..." --documents . --set max_parallel=4 --json | jq .citations

\b
Exit codes: 0 done; 1 no source holds anything, or a limit was reached; 2 bad input or
configuration; 3 waiting for a person; 130 interrupted, and resumable.
"""

RESTORE_EXAMPLES = """\b
Examples:
  replan restore 5f0c2a4e-6c1d-4d5e-9a53-0c9d3a1f7b60
  replan restore 5f0c2a4e-6c1d-4d5e-9a53-0c9d3a1f7b60 --checkpoint 1f0a... --workspace ../as-it-was
  replan restore 5f0c2a4e-6c1d-4d5e-9a53-0c9d3a1f7b60 --force --json

\b
Exit codes: 0 restored; 1 not all of it could be written; 2 bad input, or files were changed
meanwhile and nobody is there to be asked.
"""

REPLAY_EXAMPLES = """\b
Examples:
  replan replay 5f0c2a4e-6c1d-4d5e-9a53-0c9d3a1f7b60
  replan replay 5f0c2a4e-6c1d-4d5e-9a53-0c9d3a1f7b60 --from 1f0a... --to 1f0b... --json

\b
Exit codes: 0 today's code does what was recorded; 1 it does not, and the step is named;
2 bad input.
"""

RESUME_EXAMPLES = """\b
Examples:
  replan resume THREAD --max-steps 40
  replan resume THREAD --approve
  replan resume THREAD --reject "use the file prices.csv instead"
  replan resume THREAD --edit '{"query": "price of copper"}' --interrupt ID
"""

FORK_EXAMPLES = """\b
Examples:
  replan fork THREAD CHECKPOINT --set plan=dag
  replan fork THREAD CHECKPOINT --goal "Write it to b.txt instead"
  replan fork THREAD CHECKPOINT --state constraints='["in French"]' --max-steps 40
"""

HISTORY_EXAMPLES = """\b
Examples:
  replan history THREAD
  replan history THREAD --json | jq '.checkpoints[] | select(.verdicts != {})'
"""

SHOW_EXAMPLES = """\b
Examples:
  replan show THREAD
  replan show THREAD 3e41ab --full
  replan show THREAD 1f1e8a56-1402-62c7-8005-13f0ea14b2b0 --json
"""

DIFF_EXAMPLES = """\b
Examples:
  replan diff THREAD 3e41ab head
  replan diff THREAD 3e41ab 90cc12 --json
"""

EXPORT_EXAMPLES = """\b
Examples:
  replan export THREAD run.zip
  replan export THREAD run.zip --force --json
"""

IMPORT_EXAMPLES = """\b
Examples:
  replan import run.zip
  replan import run.zip --as 0d2c9a2e-4f0b-4a53-8f5e-1f8b7d0c6a11
"""

PRUNE_EXAMPLES = """\b
Examples:
  replan prune --older-than 30d --dry-run
  replan prune --thread 5f0c2a4e-6c1d-4d5e-9a53-0c9d3a1f7b60
  replan prune --older-than 7d --keep-latest 20
"""

TOOL_EXAMPLES = """\b
Examples:
  replan tool read_file '{"path": "a.md"}' --workspace .
  replan tool python '{"code": "print(1 + 1)"}'
  replan tool web_search '{"query": "copper"}' --approve allow:web_search

\b
Exit codes: 0 the call succeeded; 1 it did not; 2 bad input or configuration.
"""
