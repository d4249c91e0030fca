"""Implementations of the role `review`."""
