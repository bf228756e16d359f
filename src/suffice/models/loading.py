"""Loading a model from a folder, a registered name or the Hugging Face hub."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from suffice.common import registry
from suffice.common.errors import UserError, unknown_name
from suffice.common.files import digest, digest_file
from suffice.models.chat import Chat
from suffice.models.templates import DEFAULT_TEMPLATE, given_template, template_for

if TYPE_CHECKING:
    import torch

Head = Literal["words", "reward"]
DTYPES = ("auto", "float32", "bfloat16", "float16")
DEVICES = ("auto", "cpu", "cuda")
_TOKENIZER_FILES = ("tokenizer.json", "tokenizer.model", "vocab.json", "vocab.txt", "spiece.model")
_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")
_CALLED = {"words": "causal language model", "reward": "sequence-classification model"}
_WHOLE = 256 * 2**20  # weights up to this many bytes are hashed whole
_END = 2**20
_DEFAULT_WINDOW = 2048


@dataclass(frozen=True)
class ModelSource:
    """Where a model came from: enough to load it again in another process.

    Attributes:
        spec: A folder, a registered name or a hub id.
        device: ``auto``, ``cpu`` or ``cuda``.
        dtype: ``auto`` (float32 on a CPU, bfloat16 on a GPU), ``float32``, ``bfloat16`` or ``float16``.
        chat_template: A template that replaces the tokenizer's: a file's path or the text itself.
        head: What the network gives: ``words`` (a causal language model) or ``reward`` (one number for a text).
    """

    spec: str
    device: str = "auto"
    dtype: str = "auto"
    chat_template: str | None = None
    head: Head = "words"

    def load(self) -> LanguageModel:
        """Loads the model; see `load_model`."""
        return load_model(
            self.spec,
            device=self.device,
            dtype=self.dtype,
            chat_template=self.chat_template,
            head=self.head,
        )


@dataclass(frozen=True)
class LanguageModel:
    """A causal language model, or a reward model, ready to use, in evaluation mode.

    Attributes:
        network: The transformers network with its head.
        tokenizer: The tokenizer, whose ``chat_template`` is the one in use.
        chat: Renders conversations for it.
        name: What the user called it.
        fingerprint: Changes when weights, configuration, tokenizer or template do.
        window: The most tokens it takes.
        device: ``cpu`` or ``cuda``.
        source: How to load it again elsewhere.
    """

    network: Any
    tokenizer: Any
    chat: Chat
    name: str
    fingerprint: str
    window: int
    device: str
    source: ModelSource


def load_model(
    spec: str | Path,
    *,
    device: str = "auto",
    dtype: str = "auto",
    chat_template: str | None = None,
    head: Head = "words",
) -> LanguageModel:
    """Loads a model and its tokenizer. Neither pickled weights nor code from the folder are ever run.

    Args:
        spec: A name registered under ``suffice.models`` (such as ``lab``; what follows an ``@``, as in
            ``lab@50``, is passed on as its ``revision``), an existing folder, or a hub id.
        device: ``auto``, ``cpu`` or ``cuda``.
        dtype: See `ModelSource`. On a CPU the weights are always float32, whatever the file holds.
        chat_template: See `ModelSource`.
        head: See `ModelSource`.

    Raises:
        UserError: There is no such model, or it lacks weights, tokenizer or configuration.
    """
    device = _device(device)
    folder = find_folder(spec)
    _check(folder)
    tokenizer, network = _from_pretrained(folder, _dtype(dtype, device), head)
    tokenizer.chat_template = template_for(tokenizer, chat_template)
    return LanguageModel(
        network=network.to(device).eval(),
        tokenizer=tokenizer,
        chat=Chat(tokenizer),
        name=str(spec),
        fingerprint=_fingerprint(folder, chat_template),
        window=_window(network.config, tokenizer),
        device=device,
        source=ModelSource(str(folder), device, dtype, chat_template, head),
    )


def _device(device: str) -> str:
    import torch

    if device not in DEVICES:
        raise unknown_name("device", device, DEVICES)
    if device == "cuda" and not torch.cuda.is_available():
        raise UserError("device 'cuda' was asked for, but torch sees no GPU", "use --device cpu")
    return ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device


def _dtype(dtype: str, device: str) -> torch.dtype:
    import torch

    if dtype not in DTYPES:
        raise unknown_name("dtype", dtype, DTYPES)
    if device == "cpu":  # half precision is several times slower there, and less exact
        return torch.float32
    return torch.bfloat16 if dtype == "auto" else getattr(torch, dtype)


def find_folder(spec: str | Path, *, weights: bool = True) -> Path:
    """Finds the folder that a spec stands for, fetching it from the hub where need be.

    Args:
        spec: See `load_model`.
        weights: Whether the weights are fetched too.

    Raises:
        UserError: There is no such model.
    """
    name, at, revision = str(spec).partition("@")
    if name in registry.names("models"):
        locate = registry.load("models", name)
        return Path(locate(revision=revision) if at else locate()).resolve()
    folder = Path(spec)
    if (folder / "lab.json").is_file():
        return Path(registry.load("models", "lab")(folder)).resolve()  # refuses weights of another world
    if folder.is_dir():
        return folder.resolve()
    if isinstance(spec, Path) or folder.exists() or not _HUB_ID.fullmatch(spec):
        raise UserError(
            f"no model '{spec}': it is neither a folder nor a registered name nor a hub id",
            f"give a folder with config.json, an id such as owner/name, or one of: {_registered()}",
        )
    from huggingface_hub import snapshot_download

    try:  # files in sub-folders are other formats of the same weights
        kinds = ["*.json", "*.jinja", "*.txt", "*.model", *(["*.safetensors"] if weights else [])]
        return Path(snapshot_download(spec, allow_patterns=kinds, ignore_patterns=["*/*"]))
    except (OSError, ValueError) as error:
        raise UserError(
            f"the model '{spec}' is no folder here and cannot be fetched from the hub: {_first_line(error)}",
            "check the name and the network, or give a folder",
        ) from error


def _registered() -> str:
    return ", ".join(registry.names("models")) or "(none)"


def _check(folder: Path) -> None:
    """Refuses a folder that lacks what a model needs, naming what it lacks."""
    if not (folder / "config.json").is_file():
        raise UserError(
            f"the model folder {folder} has no config.json", "give a folder in the transformers format"
        )
    if not any(folder.glob("*.safetensors")):
        pickled = any(folder.glob("*.bin")) or any(folder.glob("*.pt")) or any(folder.glob("*.pth"))
        raise UserError(
            f"the model folder {folder} has "
            + ("only pickled weights, which can run code" if pickled else "no weights (*.safetensors)"),
            "save the model with save_pretrained, which writes safetensors",
        )
    if not any((folder / name).is_file() for name in _TOKENIZER_FILES):
        raise UserError(
            f"the model folder {folder} has no tokenizer ({', '.join(_TOKENIZER_FILES)})",
            "save the tokenizer into the same folder with save_pretrained",
        )


def _from_pretrained(folder: Path, dtype: torch.dtype, head: Head) -> tuple[Any, Any]:
    """Loads tokenizer and network without a word on the terminal."""
    from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification, AutoTokenizer
    from transformers.utils import logging

    kind = AutoModelForCausalLM if head == "words" else AutoModelForSequenceClassification
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False, local_files_only=True)
        network, found = kind.from_pretrained(
            folder,
            dtype=dtype,
            trust_remote_code=False,
            use_safetensors=True,
            local_files_only=True,
            output_loading_info=True,
        )
    except Exception as error:  # whatever is wrong with files that strangers wrote
        raise UserError(
            f"the model in {folder} cannot be loaded: {_first_line(error)}",
            f"check that it is a {_CALLED[head]} of the installed transformers, with a tokenizer",
        ) from error
    if found["missing_keys"]:  # transformers would fill them at random
        raise UserError(
            f"the weights in {folder} lack {len(found['missing_keys'])} tensors that its config.json asks for, "
            f"first {min(found['missing_keys'])}",
            "fetch or save the folder again"
            if head == "words"
            else "give a reward model, saved with its head",
        )
    if not tokenizer.is_fast:
        raise UserError(
            f"the model in {folder} has a tokenizer without character offsets",
            "save a fast one (tokenizer.json) into the folder",
        )
    return tokenizer, network


def _first_line(error: BaseException) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)


def _window(config: Any, tokenizer: Any) -> int:
    """Returns the most tokens the network takes; a tokenizer without a limit states an absurdly large one."""
    window = int(getattr(config.get_text_config(), "max_position_embeddings", None) or _DEFAULT_WINDOW)
    return min(window, int(tokenizer.model_max_length)) if tokenizer.model_max_length > 0 else window


def model_fingerprint(spec: str | Path, chat_template: str | None = None) -> str:
    """Returns the fingerprint that `load_model` gives, without loading the network.

    Raises:
        UserError: There is no such model, or it lacks weights, tokenizer or configuration.
    """
    folder = find_folder(spec)
    _check(folder)
    return _fingerprint(folder, chat_template)


def _fingerprint(folder: Path, chat_template: str | None) -> str:
    """Hashes what decides the model's output.

    Weights below 256 MB are hashed whole; of larger ones the name, the size, the first and the last MiB.
    """
    weights = sorted(folder.glob("*.safetensors"))
    whole = sum(path.stat().st_size for path in weights) < _WHOLE
    texts = sorted(path for path in folder.iterdir() if path.suffix in {".json", ".txt", ".model", ".jinja"})
    parts = {path.name: digest_file(path) for path in texts if path.is_file()}
    parts |= {path.name: digest_file(path) if whole else _ends(path) for path in weights}
    template = given_template(chat_template) if chat_template is not None else DEFAULT_TEMPLATE
    return digest({"files": parts, "template": template})[:16]


def _ends(path: Path) -> str:
    size = path.stat().st_size
    with path.open("rb") as file:
        first = file.read(_END)
        file.seek(max(0, size - _END))
        return digest([size, first.hex(), file.read(_END).hex()])
