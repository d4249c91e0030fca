"""Searching the web: one result, one provider protocol, and the providers side by side."""
