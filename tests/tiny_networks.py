"""Tiny untrained networks of several shapes, and rows of tokens for them."""

from __future__ import annotations

import torch
import transformers

from suffice.common.draws import Draws
from suffice.models.losses import Passage

VOCABULARY = 100
SHAPES = {
    "llama": lambda: transformers.LlamaConfig(num_key_value_heads=1, tie_word_embeddings=True, **_plain()),
    "untied": lambda: transformers.LlamaConfig(tie_word_embeddings=False, **_plain()),
    "gpt2": lambda: transformers.GPT2Config(
        vocab_size=VOCABULARY, n_embd=16, n_layer=2, n_head=2, n_positions=64, bos_token_id=0, eos_token_id=0
    ),
    "neox": lambda: transformers.GPTNeoXConfig(**_plain()),
    "capped": lambda: transformers.Gemma2Config(
        head_dim=8, num_key_value_heads=1, final_logit_softcapping=2.0, sliding_window=64, **_plain()
    ),
    "experts": lambda: transformers.MixtralConfig(num_key_value_heads=1, num_local_experts=4, **_plain()),
}


def _plain():
    return {
        "vocab_size": VOCABULARY,
        "hidden_size": 16,
        "intermediate_size": 24,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "max_position_embeddings": 64,
        "bos_token_id": 0,
        "eos_token_id": 0,
        "pad_token_id": 0,
    }


def network(shape, seed=0):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        made = transformers.AutoModelForCausalLM.from_config(SHAPES[shape]()).eval()
        for parameter in made.parameters():  # larger than at birth, so that all layers matter
            if parameter.ndim > 1:
                parameter.data.mul_(5)
            else:
                parameter.data.add_(0.1 * torch.randn_like(parameter))
    return made


def make_rows(count, longest=20, seed=0):
    """Rows of 2 to ``longest`` tokens, of which some are trained on."""
    draws = Draws(seed, "rows")
    rows = []
    for _ in range(count):
        ids = [draws.below(VOCABULARY) for _ in range(draws.between(2, longest))]
        places = sorted(draws.sample(range(1, len(ids)), draws.between(1, len(ids) - 1)))
        rows.append(Passage(ids, places))
    return rows
