"""`dlv3 evaluate`: its arguments, from which tyro makes the command line, and what it does."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import torch
import tyro

from dlv3.cli.parsing import parse
from dlv3.config.data import DataConfig
from dlv3.config.evaluation import EvaluationConfig
from dlv3.evaluation.evaluate import evaluate
from dlv3.evaluation.report import Evaluation
from dlv3.evaluation.trained import TrainedModel, load_trained
from dlv3.files import write_atomically
from dlv3.printed import say

if TYPE_CHECKING:
    from dlv3.data import SegmentationDataset

_OVERRIDES = ("ignore", "num_classes", "val_images", "val_masks", "size", "scene_cue", "pictures")


@dataclass(frozen=True)
class EvaluateArguments:
    """Score a trained model on whole images: IOU of each class, mIOU, pixel accuracy. Prints a table, writes JSON.

    Under torchrun the images are divided among the processes, and each is counted once.
    """

    run: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="RUN")]
    """A run's folder, or a .safetensors file."""
    how: Annotated[EvaluationConfig, tyro.conf.arg(name="")] = field(default_factory=EvaluationConfig)
    data: str | None = None
    """scenes, markers:KIND, folder:DIR or voc:DIR; left out, the data set that the run was trained on."""
    split: Literal["train", "val", "test"] = "val"
    """Which part of the data."""
    ignore: Annotated[tuple[int, ...] | None, tyro.conf.arg(metavar="INT [INT ...]")] = None
    """folder: mask values that are not labels. This option and those below are the run's own when left out."""
    num_classes: int | None = None
    """folder: number of classes."""
    val_images: str | None = None
    """folder: the photos, if they are not in DIR/images."""
    val_masks: str | None = None
    """folder: their masks."""
    size: int | None = None
    """scenes: side of a picture in pixels, 129 to 513."""
    scene_cue: bool | None = None
    """scenes: whether the cue at the picture's edge tells the two kinds of disc apart."""
    pictures: int | None = None
    """scenes, markers: how many pictures."""
    out: Path | None = None
    """The JSON file; left out, one in the run's folder, named after the split, output stride, scales and flip."""
    workers: int = 2
    """Processes that load images; 0 loads between the predictions."""
    device: str = "auto"
    """cpu, cuda, cuda:1, mps; auto is a CUDA GPU where there is one, else the CPU."""


def main(argv: Sequence[str]) -> int:
    """Run `dlv3 evaluate`. Returns the exit status."""
    return evaluate_command(parse(EvaluateArguments, argv, "dlv3 evaluate"))


def evaluate_command(arguments: EvaluateArguments) -> int:
    """Evaluate, print the table and write the JSON file. Returns the exit status, 0.

    Raises:
        ValueError: a bad run, data set or option.
        OSError: no such run, or a file that cannot be written.
    """
    from dlv3.training.distributed import joined

    trained = load_trained(arguments.run)
    spec, dataset = _open(arguments, trained)
    with joined(arguments.device) as processes:
        model = trained.model.to(processes.device).to(memory_format=torch.channels_last)
        found = evaluate(model, dataset, arguments.how, device=processes.device, workers=arguments.workers)
        if processes.first:
            say(f"{trained.weights} on {spec}, {arguments.split}", "", *found.table().split("\n"))
            about = {"weights": str(trained.weights), "data": spec, "split": arguments.split}
            about |= {"device": str(processes.device), "torch": torch.__version__}
            path = arguments.out or trained.weights.with_name(_file_name(found, arguments.split))
            _write(path, json.dumps(about)[1:-1], found)
            say(f"written to {path}")
    return 0


def _open(arguments: EvaluateArguments, trained: TrainedModel) -> "tuple[str, SegmentationDataset]":
    """Open the data set: the run's own, with the changes that the arguments ask for."""
    from dlv3.data import open_dataset

    spec = arguments.data or (trained.config.dataset if trained.config else None)
    if spec is None:
        raise ValueError(
            f"{trained.weights}: there is no config.json beside these weights that names their data set; give "
            "--data, such as folder:DIR"
        )
    config = trained.config.data if trained.config else DataConfig()
    changes = {name: getattr(arguments, name) for name in _OVERRIDES}
    config = replace(config, **{name: value for name, value in changes.items() if value is not None})
    if spec.partition(":")[0] == "folder" and config.num_classes is None and not config.classes:
        # The folder may show fewer classes than the model was trained on; that is not an error.
        listed = Path(spec.partition(":")[2], "classes.txt").is_file()
        config = config if listed else replace(config, num_classes=trained.model.config.num_classes)
    return spec, open_dataset(spec, arguments.split, config)


def _file_name(found: Evaluation, split: str) -> str:
    """Name the file after the options, such as evaluation_val_os8_scales-0.5-1_flip.json: no other scores are lost."""
    parts = ["evaluation", split, f"os{found.output_stride}"]
    if found.scales != (1.0,):
        parts.append("scales-" + "-".join(f"{scale:g}" for scale in found.scales))
    return "_".join(parts + ["flip"] * found.flip) + ".json"


def _write(path: Path, about: str, found: Evaluation) -> None:
    """Write the scores as JSON, below a line about what was evaluated."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, ("{\n  " + about + ",\n" + found.to_json().removeprefix("{\n")).encode())
    except OSError as error:
        raise OSError(f"{path}: cannot be written: {error.strerror}; give another --out") from error
