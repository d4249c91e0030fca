"""Implementations of the role `reflect`."""
