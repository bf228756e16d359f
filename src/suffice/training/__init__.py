"""Training an arm: supervised fine-tuning on the assistant's tokens."""

from suffice.training.settings import LoRA, SFTSettings
from suffice.training.sft import TrainResult, train_sft

__all__ = ["LoRA", "SFTSettings", "TrainResult", "train_sft"]
