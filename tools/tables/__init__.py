"""Questions in SQL to the tables among the files of the workspace."""
