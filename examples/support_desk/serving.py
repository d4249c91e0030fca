"""What langgraph.json names as checkpointer and store: those of `replan`, on its Postgres."""

from replan.graphs.serving import checkpointer as checkpointer
from replan.graphs.serving import store as store
