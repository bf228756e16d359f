"""What runs have in common whose replies are judged by a reward: settings, readings of the base, the choice, the scores."""
