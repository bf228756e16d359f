"""A run from recipe to verdict: the folder that holds it, its stages, and what it costs."""
