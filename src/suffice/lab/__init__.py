"""The embedded default: a small synthetic world, its task families, and a tiny base trained on it."""
