"""DEITA's complexity: how demanding what the user asks is, from 1 to 6."""

from __future__ import annotations

from suffice.scorers.deita import Deita


class Complexity(Deita):
    """Evol-complexity: the score of each turn of the user."""

    name = "complexity"
    trained = (
        "You are a helpful assistant. Please identify the complexity score of the following user query. \n"
        "##Query: {instruction}  \n##Complexity: "
    )
    rating = (
        "Ranking the following questions according to the difficulty and complexity. Score 1-5.\n"
        "You can give a score of 6 if the question is too complex for you to answer it. "
        "You should respond with the format:\n[1] Score: 1\n\n[1] {instruction}"
    )
