"""The user's own documents: parsed in a process of their own, cut into chunks, searched."""
