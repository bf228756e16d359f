"""The lab's tokenizer: byte-level BPE in which every digit and every lone capital is a token."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from suffice.lab.template import CHAT_TEMPLATE, DOCUMENT, END, PAD, SPECIAL_TOKENS

VOCABULARY = 1536


def train_tokenizer(texts: Iterable[str]) -> Any:
    """Returns a `tokenizers.Tokenizer` trained on ``texts``."""
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.Split(Regex(r"[A-Z](?![a-z])"), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=list(SPECIAL_TOKENS),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def save_tokenizer(tokenizer: Any, folder: Path, window: int) -> None:
    """Writes the tokenizer with its chat template as a plain transformers folder."""
    from transformers import PreTrainedTokenizerFast

    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token=DOCUMENT,
        eos_token=END,
        pad_token=PAD,
        model_max_length=window,
        chat_template=CHAT_TEMPLATE,
        clean_up_tokenization_spaces=False,
    ).save_pretrained(folder)
