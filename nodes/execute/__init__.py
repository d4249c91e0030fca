"""Implementations of the role `execute`."""
