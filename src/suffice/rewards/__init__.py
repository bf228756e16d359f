"""Judging single replies: what a reward pays, and what of a text counts as its answer."""
