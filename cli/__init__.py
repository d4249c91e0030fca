"""The `replan` command."""
