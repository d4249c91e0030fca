"""The graph that langgraph.json names.

Compiled without a checkpointer: `langgraph dev` brings its own, which is ours, on Postgres.
"""

from replan.graphs.build import build_agent

graph = build_agent()
