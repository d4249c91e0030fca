"""Long-term memory, kept in the store."""
