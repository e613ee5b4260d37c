"""`dlv3 evaluate` and `dlv3 predict`: their arguments, from which tyro makes the command line, and what they do."""

import json
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import torch
import tyro
from tqdm import tqdm

from dlv3.config.data import DataConfig
from dlv3.config.evaluation import EvaluationConfig
from dlv3.evaluation.evaluate import evaluate
from dlv3.evaluation.predict import MAX_SIDE, predict_files
from dlv3.evaluation.report import Evaluation
from dlv3.evaluation.trained import TrainedModel, load_trained
from dlv3.files import write_atomically

if TYPE_CHECKING:
    from dlv3.data import SegmentationDataset

_OVERRIDES = ("ignore", "num_classes", "val_images", "val_masks", "size", "scene_cue", "pictures")


@dataclass(frozen=True)
class EvaluateArguments:
    """Score a trained model on whole images: IOU of each class, mIOU, pixel accuracy. Prints a table, writes JSON.

    Under torchrun the images are shared out, and each is counted once.
    """

    run: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="RUN")]
    """A run's folder, or a .safetensors file."""
    how: Annotated[EvaluationConfig, tyro.conf.arg(name="")] = field(default_factory=EvaluationConfig)
    data: str | None = None
    """scenes, markers:KIND, folder:DIR or voc:DIR; left out, what the run was trained on."""
    split: Literal["train", "val", "test"] = "val"
    """Which part of the data."""
    ignore: Annotated[tuple[int, ...] | None, tyro.conf.arg(metavar="INT [INT ...]")] = None
    """folder: mask values without a label. This option and those below are the run's own when left out."""
    num_classes: int | None = None
    """folder: number of classes."""
    val_images: str | None = None
    """folder: the photos, where they do not lie in DIR/images."""
    val_masks: str | None = None
    """folder: their masks."""
    size: int | None = None
    """scenes: side of a picture in pixels, 129 to 513."""
    scene_cue: bool | None = None
    """scenes: whether discs are told apart by the cue at the picture's edge."""
    pictures: int | None = None
    """scenes, markers: how many pictures."""
    out: Path | None = None
    """The JSON file; left out, one in the run's folder, named after the split, output stride, scales and flip."""
    workers: int = 2
    """Processes that load images; 0 loads between the predictions."""
    device: str = "auto"
    """cpu, cuda, cuda:1, mps; auto is a CUDA GPU where there is one, else the CPU."""


@dataclass(frozen=True)
class PredictArguments:
    """Predict photos: a coloured mask, an overlay and the class indices of each, as PNG files.

    A picture that cannot be read is named and left out, and the exit status is then 1.
    """

    run: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="RUN")]
    """A run's folder, or a .safetensors file."""
    inputs: Annotated[tyro.conf.Positional[tuple[str, ...]], tyro.conf.arg(metavar="PICTURES")]
    """Pictures, folders of pictures, patterns such as '*.png'."""
    out: Path = Path("predictions")
    """The folder to write to: NAME_mask.png, NAME_overlay.png, NAME_index.png; sub-folders are mirrored."""
    output_stride: int | None = None
    """Another output stride than the model's own (§4.1)."""
    scales: tuple[float, ...] = (1.0,)
    """Scales of the picture whose probabilities are averaged (§4.1)."""
    flip: bool = False
    """Look at left-right mirror images too (§4.1)."""
    precision: Literal["float32", "bfloat16"] = "float32"
    """What the network is computed in."""
    max_side: int | None = MAX_SIDE
    """Pictures with a longer side, in pixels, are made smaller for the model, and the result upsampled back; None
    never does it."""
    alpha: float = 0.6
    """The colours' share in the overlay, from 0 to 1."""
    device: str = "auto"
    """cpu, cuda, cuda:1, mps; auto is a CUDA GPU where there is one, else the CPU."""


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
        model = trained.model.to(processes.device, memory_format=torch.channels_last)
        found = evaluate(model, dataset, arguments.how, device=processes.device, workers=arguments.workers)
        if processes.first:
            print(f"{trained.weights} on {spec}, {arguments.split}\n\n{found.table()}")
            about = {"weights": str(trained.weights), "data": spec, "split": arguments.split}
            about |= {"device": str(processes.device), "torch": torch.__version__}
            path = arguments.out or trained.weights.with_name(_file_name(found, arguments.split))
            _write(path, json.dumps(about)[1:-1], found)
            print(f"written to {path}")
    return 0


def predict_command(arguments: PredictArguments) -> int:
    """Predict, naming on stderr what cannot be read. Returns the exit status: 0, or 1 if something was left out.

    Raises:
        ValueError: a bad run or option, or no pictures at all.
        OSError: no such run, or a file that cannot be written.
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
        trained.model.to(device, memory_format=torch.channels_last),
        arguments.inputs,
        arguments.out,
        how,
        palette=trained.palette(),
        max_side=arguments.max_side,
        alpha=arguments.alpha,
        device=device,
        on_failure=lambda line: tqdm.write(f"dlv3: left out: {line}", file=sys.stderr),
    )
    left_out = f", {len(done.failed)} left out" if done.failed else ""
    where = f"; results are in {arguments.out}" if done.written else ""
    print(f"{len(done.written)} predicted{left_out}{where}")
    return 1 if done.failed else 0


def _open(arguments: EvaluateArguments, trained: TrainedModel) -> "tuple[str, SegmentationDataset]":
    """The data set: the run's own but for what the arguments change."""
    from dlv3.data import open_dataset

    spec = arguments.data or (trained.config and trained.config.dataset)
    if spec is None:
        raise ValueError(
            f"{trained.weights}: these weights have no config.json beside them that says what to evaluate on; give "
            "--data, such as folder:DIR"
        )
    config = trained.config.data if trained.config else DataConfig()
    changes = {name: getattr(arguments, name) for name in _OVERRIDES}
    config = replace(config, **{name: value for name, value in changes.items() if value is not None})
    if spec.partition(":")[0] == "folder" and config.num_classes is None and not config.classes:
        # The folder may show fewer classes than the model was trained for, which is no error.
        listed = Path(spec.partition(":")[2], "classes.txt").is_file()
        config = config if listed else replace(config, num_classes=trained.model.config.num_classes)
    return spec, open_dataset(spec, arguments.split, config)


def _file_name(found: Evaluation, split: str) -> str:
    """evaluation_val_os8_scales-0.5-1_flip.json: another way of looking never overwrites the scores of this one."""
    parts = ["evaluation", split, f"os{found.output_stride}"]
    if found.scales != (1.0,):
        parts.append("scales-" + "-".join(f"{scale:g}" for scale in found.scales))
    return "_".join(parts + ["flip"] * found.flip) + ".json"


def _write(path: Path, about: str, found: Evaluation) -> None:
    """The scores as JSON, behind a line about what was evaluated."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, ("{\n  " + about + ",\n" + found.to_json().removeprefix("{\n")).encode())
    except OSError as error:
        raise OSError(f"{path}: cannot be written: {error.strerror}; give another --out") from error
