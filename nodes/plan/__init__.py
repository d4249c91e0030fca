"""Implementations of the role `plan`."""
