"""`dlv3 data pretrain`: make the weights that trainings on the scenes start from."""

from collections.abc import Sequence

import torch

from dlv3.cli.parsing import parse
from dlv3.config.pretraining import PretrainConfig
from dlv3.printed import say
from dlv3.training.pretrain import pretrain_backbone
from dlv3.weights import save_tensors


def main(argv: Sequence[str]) -> int:
    """Run `dlv3 data pretrain`. Returns the exit status."""
    return pretrain_command(parse(PretrainConfig, argv, "dlv3 data pretrain"))


def pretrain_command(config: PretrainConfig) -> int:
    """Pretrain, write the weights and print how good they are. Returns the exit status, 0.

    Raises:
        OSError: the file cannot be written.
    """
    found = pretrain_backbone(config)
    state = {name: t.contiguous().clone() for name, t in found.backbone.state_dict().items()}
    about = {
        "made by": f"dlv3 data pretrain --seed {config.seed}",
        "shape accuracy": f"{found.shape_accuracy:.4f}",
        "strip accuracy": f"{found.strip_accuracy:.4f}",
        "torch": torch.__version__,
    }
    config.out.parent.mkdir(parents=True, exist_ok=True)
    save_tensors(state, config.out, about)
    say(
        f"shape {100 * found.shape_accuracy:.1f}%, strip {100 * found.strip_accuracy:.1f}% right on new pictures, "
        f"{found.seconds:.0f} s; written to {config.out.resolve()}"
    )
    return 0
