"""Postgres: embedded or by address, checkpointer, store, thread locks."""
