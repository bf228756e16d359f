"""GraNd: how far a row would move the model, as the norm of its loss gradient.

Paul, Ganguli and Dziugaite, "Deep Learning on a Data Diet: Finding Important Examples Early in Training"
(NeurIPS 2021, arXiv 2107.07075): the expectation of ||grad_w loss(x, y)||_2 over the weights w at one time of
training.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from suffice.models.losses import Passage, answer_passage, head_only_at
from suffice.scorers.likelihood import fates, pass_over_answers, scores_of
from suffice.scorers.protocol import Scores, ScoringContext
from suffice.scorers.shards import Advance, Arrays

if TYPE_CHECKING:
    from suffice.data.pool import Pool
    from suffice.models.loading import LanguageModel


class GradientNorm:
    """The Euclidean norm of the gradient of a row's mean answer loss, over all weights of the model.

    One row at a time goes forward and back, and beside the weights memory holds their gradient.
    """

    name = "gradient_norm"
    default_selector = "top"
    makes = ("scores",)
    needs_model = True
    needs_target = False
    paper = "arXiv 2107.07075"
    cost = "one forward and one backward pass, a row at a time"

    def score(self, pool: Pool, context: ScoringContext) -> Scores:
        """Scores every row of ``pool``, in shards, so that a killed run continues.

        A row that the chat template refuses, that is longer than the model's window, or that has no answer has
        no score.

        Raises:
            UserError: There is no model.
        """
        found, notes = pass_over_answers(self.name, "gradient-norms", _norms, pool, context)
        return scores_of(pool, found["norm"], found["tokens"], notes)


def _norms(model: LanguageModel, pool: Pool, advance: Advance) -> Arrays:
    """Returns the norms of one shard."""
    rows = model.chat.encode_many([(row.messages, row.tools) for row in pool])
    norm, tokens, passed = np.full(len(rows), np.nan), np.zeros(len(rows), int), np.zeros(len(rows), int)
    scored = []
    for i, row in enumerate(rows):
        passage = answer_passage(row) if row and len(row.ids) <= model.window else None
        if passage and passage.places:
            norm[i] = gradient_norm(model, passage)
            tokens[i], passed[i] = len(passage.places), len(passage.ids)
            scored.append(i)
        advance(1)
    fate = fates(rows, scored, model.window)
    return {"norm": norm, "tokens": tokens, "passed": passed, "fate": fate}


def gradient_norm(model: LanguageModel, passage: Passage) -> float:
    """Returns the norm of the gradient of a passage's mean loss over its places. The model stays as it is."""
    import torch

    ids = torch.tensor([passage.ids], device=model.device)
    places = torch.tensor(passage.places, device=model.device)
    weights = [weight for weight in model.network.parameters() if weight.requires_grad]
    with head_only_at(model.network, torch.zeros_like(places), places - 1):
        logits = model.network(input_ids=ids, use_cache=False).logits[0]
    loss = torch.nn.functional.cross_entropy(logits.float(), ids[0, places])
    gradients = torch.autograd.grad(loss, weights, allow_unused=True)
    squares = [part.float().square().sum().double() for part in gradients if part is not None]
    return float(torch.stack(squares).sum().sqrt())
