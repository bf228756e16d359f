"""The lab's base and a small pool, and the losses of its answers by the plainest way there is."""

from __future__ import annotations

import numpy as np
import pytest

from made_data import chat, make_example, make_pool
from suffice.data.pool import Pool


@pytest.fixture(scope="session")
def lab():
    from suffice.models import load_model

    return load_model("lab", device="cpu")


def talk(count):
    turns = [
        chat(f"Count on from {i}.", " ".join(str(i + k) for k in range(1 + i * 3))) for i in range(count)
    ]
    return tuple(turn for pair in turns for turn in pair)


@pytest.fixture(scope="session")
def answers_pool():
    """24 rows of one to four turns of the assistant and of many lengths."""
    return Pool.from_examples([*make_pool(21), *(make_example(talk(n), 90 + n) for n in (2, 3, 4))])


def losses_row_by_row(model, rows):
    """The definition: for each row one forward pass of the whole network, and the loss of each answer token.

    Which tokens are the assistant's is told by transformers, from the marks in the lab's template.
    """
    import torch

    found = []
    for row in rows:
        made = model.tokenizer.apply_chat_template(
            list(row.messages), return_dict=True, return_assistant_tokens_mask=True
        )
        ids = torch.tensor([made["input_ids"]])
        with torch.no_grad():
            logits = model.network(ids).logits[0].double()
        chances = torch.log_softmax(logits, dim=-1)
        marked = [i for i, mark in enumerate(made["assistant_masks"]) if mark]
        found.append(np.array([-float(chances[i - 1, ids[0, i]]) for i in marked]))
    return found


@pytest.fixture(scope="session")
def reference(lab, answers_pool):
    """The losses of the answer tokens of each row of `answers_pool`."""
    return losses_row_by_row(lab, answers_pool)
