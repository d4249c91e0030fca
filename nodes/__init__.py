"""The steps of the cycle: one package a role, every implementation beside its siblings."""
