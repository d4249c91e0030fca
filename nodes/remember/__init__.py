"""Implementations of the role `remember`."""
