"""The steps of a research report: outline, gathering, claims, and the check of each claim."""
