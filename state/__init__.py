"""The nouns: tasks, actions, observations, checks, and the graph's state, context and settings."""
