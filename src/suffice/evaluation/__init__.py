"""Judging a model by the answers it writes."""
