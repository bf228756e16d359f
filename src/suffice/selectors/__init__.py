"""Selectors: what turns scores into the rows that are chosen, each with its reason."""
