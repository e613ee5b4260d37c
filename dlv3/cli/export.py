"""`dlv3 export`: its arguments, from which tyro makes the command line, and what it does."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Literal

import tyro

from dlv3.cli.parsing import parse
from dlv3.evaluation.trained import TrainedModel, load_trained
from dlv3.export import FORMATS, export
from dlv3.printed import say
from dlv3.ranges import OutputStride


@dataclass(frozen=True)
class ExportArguments:
    """Write a trained model as one file that runs without dlv3, for images of any number, height and width.

    Batch normalization is folded into the convolutions. The file's logits are compared with the model's before it is
    written, and a file that exists is never overwritten. In it stand the classes, the mean and the standard deviation
    by which images are normalised, and the output stride.
    """

    run: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="RUN")]
    """A run's folder, or a .safetensors file."""
    format: Literal["onnx", "torch"] = "onnx"
    """onnx: for onnxruntime and others. torch: the .pt2 of torch.export; its images have sides larger than the output
    stride."""
    output_stride: OutputStride | None = None
    """The file's output stride; left out, the model's own (§4.1)."""
    out: Path | None = None
    """The file, which ends in .onnx or .pt2; left out, such as model_os16.onnx beside the weights."""


def main(argv: Sequence[str]) -> int:
    """Run `dlv3 export`. Returns the exit status."""
    return export_command(parse(ExportArguments, argv, "dlv3 export"))


def export_command(arguments: ExportArguments) -> int:
    """Export, and say where the file is. Returns the exit status, 0.

    Raises:
        ValueError: a bad run or option, a package that is not installed, or a file whose logits are not the model's.
        OSError: a run that does not exist, a file that exists, or one that cannot be written.
    """
    trained = load_trained(arguments.run)
    given = arguments.output_stride
    output_stride = trained.model.output_stride if given is None else given
    name = f"{trained.weights.stem}_os{output_stride}{FORMATS[arguments.format].suffix}"
    path = arguments.out or trained.weights.with_name(name)
    classes = _class_names(trained)
    difference = export(
        trained.model,
        path,
        format=arguments.format,
        output_stride=arguments.output_stride,
        classes=classes,
    )
    unnamed = "" if classes else " named by number, because their names are not at hand"
    say(
        f"written to {path}: output stride {output_stride}, {trained.model.config.num_classes} classes{unnamed}; "
        f"its logits are the model's, to {difference:.0e}"
    )
    return 0


def _class_names(trained: TrainedModel) -> tuple[str, ...]:
    """Return the names of the run's classes: those kept with its weights, or those of its data set.

    () where the data set is not at hand or has other classes by now.
    """
    from dlv3.data import open_dataset

    if trained.classes is not None:
        return trained.classes.names
    if trained.config is None:
        return ()
    count, data = trained.model.config.num_classes, trained.config.data
    kind, _, folder = trained.config.dataset.partition(":")
    if kind == "folder" and not data.classes and not Path(folder, "classes.txt").is_file():
        # Without names, and without the search for the classes in every mask.
        return ()
    try:
        channels = trained.model.backbone.conv1.in_channels
        data = replace(data, num_classes=None)
        names = open_dataset(trained.config.dataset, "val", data, channels).classes
    except (ValueError, OSError):
        return ()
    return names if len(names) == count else ()
