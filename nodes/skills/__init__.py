"""Skills: calls and plans that passed their checks once, and whether they fit a new goal."""
