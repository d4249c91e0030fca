"""Implementations of the role `decompose`."""
