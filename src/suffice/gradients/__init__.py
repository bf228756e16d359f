"""Gradients of single examples: features of a fixed size, kept in a store, compared with those of a target."""
