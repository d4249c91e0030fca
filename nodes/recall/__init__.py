"""Implementations of the role `recall`."""
