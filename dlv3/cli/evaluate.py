"""`dlv3 evaluate`: its arguments, from which tyro makes the command line, and what it does."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import torch
import tyro

from dlv3.cli.parsing import parse
from dlv3.config.data import DataConfig, Labels, MaskValues, Sides
from dlv3.config.evaluation import EvaluationConfig
from dlv3.evaluation.confusion_picture import require_matplotlib
from dlv3.evaluation.evaluate import evaluate
from dlv3.evaluation.score_files import file_name, require_replaceable, write_scores
from dlv3.evaluation.trained import TrainedModel, load_trained
from dlv3.printed import say
from dlv3.ranges import Device, Pictures, Workers

if TYPE_CHECKING:
    from dlv3.data import SegmentationDataset

_OVERRIDES = ("ignore", "num_classes", "val_images", "val_masks", "size", "scene_cue", "pictures")


@dataclass(frozen=True)
class EvaluateArguments:
    """Score a trained model on whole images: IOU, precision and recall of each class, mIOU, pixel accuracy.

    Prints a table, writes JSON.

    Under torchrun the images are divided among the processes, and each is counted once.
    """

    run: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="RUN")]
    """A run's folder, or a .safetensors file."""
    how: Annotated[EvaluationConfig, tyro.conf.arg(name="")] = field(default_factory=EvaluationConfig)
    data: str | None = None
    """scenes, outline, heads, markers:KIND, cells:KIND, ground, folder:DIR or voc:DIR; left out, the data set that the
    run was trained on."""
    split: Literal["train", "val", "test"] = "val"
    """Part of the data to score."""
    ignore: Annotated[MaskValues | None, tyro.conf.arg(metavar="INT [INT ...]")] = None
    """folder: mask values that are not labels. This option and those below are the run's own when left out."""
    num_classes: Labels | None = None
    """folder: number of classes."""
    val_images: str | None = None
    """folder: the photos, if they are not in DIR/images."""
    val_masks: str | None = None
    """folder: their masks."""
    size: Sides | None = None
    """scenes: side of a picture in pixels."""
    scene_cue: bool | None = None
    """scenes: show the cue at the picture's edge that tells two kinds of disc apart."""
    pictures: Pictures | None = None
    """scenes, markers: how many pictures."""
    out: Path | None = None
    """The JSON file; left out, one in the run's folder, named after the weights, the split, a data set or options of it
    that are not the run's own, output stride, scales, flip and precision. Only an evaluation's file is replaced."""
    csv: bool = False
    """Write a CSV file beside the JSON: each class's IOU, precision, recall and pixels."""
    confusion: bool = False
    """Write a picture of the confusion matrix beside the JSON, as PNG; needs matplotlib."""
    workers: Workers = 2
    """Processes that load images; 0 loads between the predictions."""
    device: Device = "auto"
    """auto is a CUDA GPU where there is one, else the CPU."""


def main(argv: Sequence[str]) -> int:
    """Run `dlv3 evaluate`. Returns the exit status."""
    return evaluate_command(parse(EvaluateArguments, argv, "dlv3 evaluate"))


def evaluate_command(arguments: EvaluateArguments) -> int:
    """Evaluate, print the table and write the JSON file. Returns the exit status, 0.

    Raises:
        ValueError: a bad run, data set or option.
        OSError: a run that does not exist, or a file that cannot be written.
    """
    from dlv3.training.distributed import joined

    if arguments.confusion:
        require_matplotlib()
    trained = load_trained(arguments.run)
    spec, changes, dataset = _open(arguments, trained)
    if trained.classes is not None:
        trained.classes.require_places(dataset.classes, spec)
    path = arguments.out or trained.weights.with_name(_file_name(arguments, trained, spec, changes))
    with joined(arguments.device) as processes:
        if processes.first:
            _require_replaceable(path, arguments)
        model = trained.model.to(processes.device).to(memory_format=torch.channels_last)
        found = evaluate(model, dataset, arguments.how, device=processes.device, workers=arguments.workers)
        if processes.first:
            table = found.table(details=True)
            say(f"{trained.weights} on {spec}, {arguments.split}", "", *table.split("\n"))
            about = {"weights": str(trained.weights), "data": spec, "split": arguments.split}
            about |= {"device": str(processes.device), "torch": torch.__version__}
            files = write_scores(path, about, found, csv=arguments.csv, confusion=arguments.confusion)
            say(*(f"written to {file}" for file in files))
    return 0


def _require_replaceable(path: Path, arguments: EvaluateArguments) -> None:
    """Check before the work that no file would be overwritten, and that all can be written."""
    if not path.name:
        raise ValueError(f"--out {path}: is a folder; expected the JSON file's name, such as scores.json")
    beside = [path.with_suffix(".csv")] * arguments.csv + [path.with_suffix(".png")] * arguments.confusion
    if path in beside:
        raise ValueError(f"--out {path}: expected the JSON file's name, such as scores.json")
    for file in [path, *beside]:
        require_replaceable(file)


def _file_name(
    arguments: EvaluateArguments, trained: TrainedModel, spec: str, changes: Mapping[str, object]
) -> str:
    own = trained.config is not None and trained.config.dataset == spec
    return file_name(
        arguments.split,
        arguments.how,
        arguments.how.output_stride or trained.model.output_stride,
        weights=trained.weights.stem,
        data=None if own else spec,
        changes=changes,
    )


def _open(
    arguments: EvaluateArguments, trained: TrainedModel
) -> "tuple[str, dict[str, object], SegmentationDataset]":
    """Open the data set: the run's own, with the changes that the arguments ask for. Returns these too."""
    from dlv3.data import open_dataset

    spec = arguments.data or (trained.config.dataset if trained.config else None)
    if spec is None:
        raise ValueError(
            f"{trained.weights}: there is no config.json beside these weights that names their data set; give "
            "--data, such as folder:DIR"
        )
    config = trained.config.data if trained.config else DataConfig()
    given = {name: getattr(arguments, name) for name in _OVERRIDES}
    given = {name: value for name, value in given.items() if value is not None}
    changes = {name: value for name, value in given.items() if value != getattr(config, name)}
    config = replace(config, **given)
    if spec.partition(":")[0] == "folder" and config.num_classes is None and not config.classes:
        # The folder may show fewer classes than the model was trained on; that is not an error.
        listed = Path(spec.partition(":")[2], "classes.txt").is_file()
        config = config if listed else replace(config, num_classes=trained.model.config.num_classes)
    return spec, changes, open_dataset(spec, arguments.split, config, trained.model.config.in_channels)
