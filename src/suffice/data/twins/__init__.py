"""Twins: rows that say the same, or nearly; found once, clustered at any threshold."""
