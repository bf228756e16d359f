"""Reinforcement learning on one example, with the controls that tell what it did."""
