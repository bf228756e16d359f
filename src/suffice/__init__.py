"""Suffice finds the few training examples that align a language model, and proves whether they are enough."""

__version__ = "0.1.0"
