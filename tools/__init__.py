"""What the agent may do in the world, and the checks of what was done."""
