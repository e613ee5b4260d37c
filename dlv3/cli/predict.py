"""`dlv3 predict`: its arguments, from which tyro makes the command line, and what it does."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import torch
import tyro
from tqdm import tqdm

from dlv3.cli.parsing import parse
from dlv3.config.evaluation import EvaluationConfig
from dlv3.evaluation.predict import MAX_SIDE, predict_files
from dlv3.evaluation.prediction_files import Probabilities
from dlv3.evaluation.trained import load_trained
from dlv3.printed import printable, say
from dlv3.ranges import Device, OutputStride, Scales, Share, Whole


@dataclass(frozen=True)
class PredictArguments:
    """Predict photos: a coloured mask, an overlay and the class indices of each, as PNG files.

    The colours are those of the data that the model was trained on. Pictures are read with the model's channels.
    A picture that cannot be read is named and left out, and the exit status is then 1.
    """

    run: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="RUN")]
    """A run's folder, or a .safetensors file."""
    inputs: Annotated[tyro.conf.Positional[tuple[str, ...]], tyro.conf.arg(metavar="PICTURES")]
    """Pictures, folders of pictures, patterns such as '*.png'."""
    out: Path = Path("predictions")
    """The folder to write to: NAME_mask.png, NAME_overlay.png, NAME_index.png; sub-folders are mirrored."""
    output_stride: OutputStride | None = None
    """Another output stride than the model's own (§4.1)."""
    scales: Scales = (1.0,)
    """Scales of the picture whose probabilities are averaged (§4.1)."""
    flip: bool = False
    """Evaluate the left-right mirror image too, and average (§4.1)."""
    precision: Literal["float32", "bfloat16"] = "float32"
    """Number type of the network's computations; bfloat16 is faster on GPUs."""
    max_side: Annotated[int, Whole(2, 65_536)] | None = MAX_SIDE
    """Pictures whose longer side has more pixels than this are downsampled for the model, and the result is upsampled
    again; None never does it."""
    tiles: bool = False
    """Predict such pictures at their full size instead, in overlapping tiles of --max-side pixels, at least 32."""
    probabilities: Probabilities = "none"
    """png: write NAME_confidence.png too, 16 bits, 65535 times the probability of the predicted class; npz: write
    NAME_probabilities.npz, the probabilities of all classes as (classes, height, width) float16."""
    alpha: Share = 0.6
    """The colours' share in the overlay."""
    device: Device = "auto"
    """auto is a CUDA GPU where there is one, else the CPU."""


def main(argv: Sequence[str]) -> int:
    """Run `dlv3 predict`. Returns the exit status."""
    return predict_command(parse(PredictArguments, argv, "dlv3 predict"))


def predict_command(arguments: PredictArguments) -> int:
    """Predict, and name on stderr each picture that cannot be read. Returns the exit status: 0, or 1 if there was one.

    Raises:
        ValueError: a bad run or option, or no pictures at all.
        OSError: a run that does not exist, or a file that cannot be written.
    """
    from dlv3.training.distributed import choose_device

    how = EvaluationConfig(
        output_stride=arguments.output_stride,
        scales=arguments.scales,
        flip=arguments.flip,
        precision=arguments.precision,
    )
    trained = load_trained(arguments.run)
    device = choose_device(arguments.device)
    done = predict_files(
        trained.model.to(device).to(memory_format=torch.channels_last),
        arguments.inputs,
        arguments.out,
        how,
        palette=trained.palette(),
        max_side=arguments.max_side,
        alpha=arguments.alpha,
        image_bits=trained.config.data.image_bits if trained.config else 16,
        tiled=arguments.tiles,
        probabilities=arguments.probabilities,
        device=device,
        on_failure=lambda line: tqdm.write(printable(f"dlv3: left out: {line}"), file=sys.stderr),
    )
    left_out = f", {len(done.failed)} left out" if done.failed else ""
    where = f"; results are in {arguments.out}" if done.written else ""
    say(f"{len(done.written)} predicted{left_out}{where}")
    return 1 if done.failed else 0
