"""DEITA's quality: how good an answer is, from 1 to 6."""

from __future__ import annotations

from suffice.scorers.deita import Deita


class Quality(Deita):
    """Evol-quality: the score of each answer to what the user asked."""

    name = "quality"
    trained = (
        "You are a helpful assistant. Please identify the quality score of the Response corresponding to the "
        "Question. \n #Question#:\n{instruction}\n#Response#:\n{output} \n##Quality: "
    )
    rating = (
        "Rank the following responses provided by different AI assistants to the user's question according to the "
        "quality of their response. Score each response from 1 to 5, with 6 reserved for responses that are already "
        "very well written and cannot be improved further.\nYour evaluation should consider factors such as "
        "helpfulness, relevance, accuracy, depth, creativity, and level of detail of the response.\n"
        "You should respond with the format:\n[1] Score: 1\n\n#Question#: {instruction}\n#Response List#:\n"
        "[1] {output}"
    )
