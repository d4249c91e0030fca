"""Wiring only: which node follows which, and on what condition."""
