"""Implementations of the role `select_tool`."""
