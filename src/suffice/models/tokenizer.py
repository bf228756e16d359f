"""A model's tokenizer and chat template without its weights, for looking at rows and counting tokens."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from suffice.common.errors import UserError
from suffice.common.files import read_json
from suffice.models.chat import Chat
from suffice.models.loading import find_folder
from suffice.models.templates import template_for


@dataclass(frozen=True)
class ChatTokenizer:
    """How a model sees conversations.

    Attributes:
        chat: Renders conversations and marks what is trained.
        name: What the user called the model.
        window: The most tokens it takes; `None` where its folder does not say.
        template: Which template is used, in words.
    """

    chat: Chat
    name: str
    window: int | None
    template: str


def load_tokenizer(spec: str | Path, chat_template: str | None = None) -> ChatTokenizer:
    """Loads a tokenizer from any folder that holds one. No code from the folder is ever run.

    Args:
        spec: As for `suffice.models.load_model`; a folder needs no weights and no configuration.
        chat_template: A template that replaces the tokenizer's own: a file's path or the text itself.

    Raises:
        UserError: There is no such model, its tokenizer cannot be loaded, or it can have no template.
    """
    folder = find_folder(spec, weights=False)
    tokenizer = _load(folder)
    if not tokenizer.is_fast:
        raise UserError(
            f"the tokenizer in {folder} tells no character offsets",
            "save a fast one (tokenizer.json) into the folder",
        )
    own = bool(tokenizer.chat_template)
    tokenizer.chat_template = template_for(tokenizer, chat_template)
    template = "the one given" if chat_template is not None else "its own" if own else "the default"
    return ChatTokenizer(Chat(tokenizer), str(spec), _window(folder, tokenizer), template)


def _load(folder: Path) -> Any:
    """Loads the tokenizer, by its class where the folder names one, else from tokenizer.json alone."""
    from transformers import AutoTokenizer, PreTrainedTokenizerFast
    from transformers.utils import logging

    logging.set_verbosity_error()
    alone = folder / "tokenizer.json"
    described = any((folder / name).is_file() for name in ("config.json", "tokenizer_config.json"))
    try:
        if alone.is_file() and not described:
            return PreTrainedTokenizerFast(tokenizer_file=str(alone))
        return AutoTokenizer.from_pretrained(folder, trust_remote_code=False, local_files_only=True)
    except Exception as error:  # whatever is wrong with files that strangers wrote
        reason = next(
            (line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__
        )
        raise UserError(
            f"the tokenizer in {folder} cannot be loaded: {reason}",
            "give a folder with tokenizer.json, or one that save_pretrained wrote",
        ) from error


def _window(folder: Path, tokenizer: Any) -> int | None:
    """Returns the most tokens that the configuration and the tokenizer allow; the latter may state an absurd number."""
    stated: list[Any] = [tokenizer.model_max_length]
    try:
        config = read_json(folder / "config.json")
        stated += [part.get("max_position_embeddings") for part in (config, config.get("text_config") or {})]
    except (OSError, ValueError, AttributeError):
        pass
    known = [int(value) for value in stated if isinstance(value, int | float) and 0 < value < 10**9]
    return min(known, default=None)
