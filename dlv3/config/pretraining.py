"""How the small backbone is pretrained on the made scenes' objects: one frozen dataclass."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class PretrainConfig:
    """Pretrain the small backbone on one-object pictures, and write its weights. One to three minutes on one
    core."""

    out: Path = Path("resnet14_scenes.safetensors")
    """The file to write."""
    epochs: int = 8
    """Passes over the pictures."""
    pictures: int = 12_000
    """Training pictures."""
    batch_size: int = 64
    """Pictures an update."""
    learning_rate: float = 0.1
    """At the start; poly 0.9 after 50 iterations of warm-up."""
    weight_decay: float = 1e-4
    """On every parameter."""
    seed: int = 0
    """Of the weights and the pictures' order. The pictures themselves are always the same."""
