"""Implementations of the role `report`."""
