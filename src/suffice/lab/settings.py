"""Size of the lab's base and course of its training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import LlamaForCausalLM

WINDOW = 256  # tokens in a training sequence
STAGES = (25, 50, 75)  # percent of training; the weights of these stages are kept beside the last ones


@dataclass(frozen=True)
class PretrainSettings:
    """Size of the model and course of its training; the defaults made the shipped base."""

    steps: int = 7200
    batch: int = 12  # sequences of `WINDOW` tokens a step
    seed: int = 0
    hidden: int = 128
    layers: int = 5
    heads: int = 4
    mlp: int = 352
    muon_rate: float = 0.02
    adam_rate: float = 3e-3
    weight_decay: float = 0.1
    warmup: int = 80
    decay_share: float = 0.45
    final_share: float = 0.03

    @property
    def tokens(self) -> int:
        """Tokens of the corpus that training reads, each once."""
        return self.steps * self.batch * WINDOW

    @property
    def stages(self) -> dict[int, int]:
        """The step after which the weights of each stage are kept, by the stage in percent."""
        return {share: max(1, self.steps * share // 100) for share in STAGES}

    def rate(self, step: int) -> float:
        """Returns the learning rate of a step as a share of its peak: warm-up, plateau, linear decay."""
        decay = max(1, round(self.steps * self.decay_share))
        left = (self.steps - step) / decay
        falling = self.final_share + (1 - self.final_share) * min(1.0, left)
        return min((step + 1) / max(1, min(self.warmup, self.steps // 10)), falling)


PRESETS = {
    "cpu": PretrainSettings(),
    # 33 million parameters. Its rates are carried over from the small base and have not been tuned.
    "gpu": PretrainSettings(
        steps=12_000, batch=128, hidden=512, layers=10, heads=8, mlp=1408, adam_rate=2e-3, warmup=300
    ),
}


def build_network(settings: PretrainSettings, vocabulary: int) -> LlamaForCausalLM:
    """Returns the untrained network, in plain transformers form, initialised from the settings' seed."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(settings.seed)
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=vocabulary,
            hidden_size=settings.hidden,
            intermediate_size=settings.mlp,
            num_hidden_layers=settings.layers,
            num_attention_heads=settings.heads,
            num_key_value_heads=settings.heads,
            max_position_embeddings=2 * WINDOW,
            tie_word_embeddings=True,
            bos_token_id=1,
            eos_token_id=4,
            pad_token_id=0,
        )
    )
