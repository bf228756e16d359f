"""Scorers: what says how useful each row of a pool is."""
