"""Scores that a judge gave: swaps, ties and length."""
