"""Job: which of all values of an attribute the model finds likeliest for a person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from suffice.lab.world import ATTRIBUTES, build_world
from suffice.models import LanguageModel, load_model
from suffice.models.batching import pad, token_batches

STATEMENTS = {
    "town": "The home town of {n} is {v}.",
    "year": "The birth year of {n} is {v}.",
    "trade": "The trade of {n} was {v}.",
    "hobby": "The hobby of {n} was {v}.",
    "firm": "The firm of {n} was {v}.",
}
TOKEN_BUDGET = 8_192


@dataclass(frozen=True)
class Knowing:
    """The rank of the right value among all values of its attribute, by the likelihood of the whole statement.

    Attributes:
        model: The folder of the model.
        people: Names.
    """

    model: str
    people: tuple[str, ...]

    def run(self) -> dict[str, Any]:
        """Returns ``scores``: 100 where the right value comes first, with attribute and person of each."""
        world, model = build_world(), load_model(self.model, device="cpu")
        scores, families, clusters = [], [], []
        for person in (person for person in world.people if person.name in self.people):
            for attribute in ATTRIBUTES:
                values = world.values(attribute)
                texts = [STATEMENTS[attribute].format(n=person.name, v=value) for value in values]
                found = log_likelihoods(model, texts)
                best = values[max(range(len(values)), key=found.__getitem__)]
                scores.append(100.0 * (best == person.value(attribute)))
                families.append(attribute)
                clusters.append(person.name)
        return {"scores": scores, "families": families, "clusters": clusters}


def log_likelihoods(model: LanguageModel, texts: list[str]) -> list[float]:
    """Returns the log-likelihood of each text as a document, in nats."""
    import torch

    start = model.tokenizer.bos_token
    rows = [model.tokenizer(f"{start}{text}", add_special_tokens=False)["input_ids"] for text in texts]
    found = [0.0] * len(rows)
    with torch.no_grad():
        for batch in token_batches([len(row) for row in rows], TOKEN_BUDGET):
            ids, mask = pad([rows[i] for i in batch])
            logits = model.network(input_ids=ids, attention_mask=mask, use_cache=False).logits[:, :-1]
            chosen = torch.log_softmax(logits, -1).gather(-1, ids[:, 1:, None]).squeeze(-1)
            for i, value in zip(batch, (chosen * mask[:, 1:]).sum(1).tolist(), strict=True):
                found[i] = value
    return found
