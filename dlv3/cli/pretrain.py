"""`dlv3 data pretrain`: make the weights that trainings on the made pictures start from."""

from collections.abc import Sequence

import torch

from dlv3.cli.parsing import parse
from dlv3.config.pretraining import PretrainConfig
from dlv3.files import require_writable
from dlv3.printed import say
from dlv3.training.pretrain import pretrain_backbone
from dlv3.weights import save_tensors


def main(argv: Sequence[str]) -> int:
    """Run `dlv3 data pretrain`. Returns the exit status."""
    return pretrain_command(parse(PretrainConfig, argv, "dlv3 data pretrain"))


def pretrain_command(config: PretrainConfig) -> int:
    """Pretrain, write the weights and print how good they are. Returns the exit status, 0.

    Raises:
        ValueError: the file is a folder.
        OSError: the file cannot be written.
    """
    out = config.file()
    if out.is_dir():
        raise ValueError(f"--out {out}: is a folder; give the name of a .safetensors file")
    require_writable(out.parent)
    found = pretrain_backbone(config)
    state = {name: t.contiguous().clone() for name, t in found.backbone.state_dict().items()}
    crops = "" if config.crops == "scenes" else f" --crops {config.crops}"
    about = {
        "made by": f"dlv3 data pretrain{crops} --seed {config.seed}",
        **{f"{question} accuracy": f"{share:.4f}" for question, share in found.accuracies.items()},
        "torch": torch.__version__,
    }
    out.parent.mkdir(parents=True, exist_ok=True)
    save_tensors(state, out, about)
    shares = ", ".join(f"{question} {100 * share:.1f}%" for question, share in found.accuracies.items())
    say(f"{shares} right on new pictures, {found.seconds:.0f} s; written to {out.resolve()}")
    return 0
