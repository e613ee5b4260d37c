"""Write a model as a file that runs without dlv3: ONNX, or the .pt2 of torch.export.

Either file takes a batch of any number, height and width and gives the logits at the images' own size, as the model
does. Batch normalization is folded into the convolution before it (`dlv3.fast.folded` has the identity), and nothing
but ordinary operators is left. The output stride is fixed. The text in the file tells how to use it, see `describe`.
"""

import copy
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from importlib.util import find_spec
from io import BytesIO
from itertools import pairwise
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram
from torch.nn.utils.fusion import fuse_conv_bn_eval

from dlv3.atrous import AtrousConv2d
from dlv3.data.transforms import statistics_for
from dlv3.deeplab import DeepLabV3
from dlv3.fast.folded import BATCH_NORMS
from dlv3.fields import require, require_choice
from dlv3.files import require_writable, write_atomically

TOLERANCE = 1e-4
"""Largest difference allowed between the file's logits and the model's, as a share of the largest logit, or of 1."""
CHECKED_SIZES = ((1, 65, 97), (2, 129, 65), (3, 33, 81))
"""Batch, height and width of the images with which a file is compared."""
OPSET = 18
PREFIX = "dlv3."
"""Begins the names of the text in a file."""


class ExportError(ValueError):
    """A file whose answers are not the model's. It was not written."""


@dataclass(frozen=True)
class Format:
    """A kind of file: the end of its name, what has to be installed, how to make it and how to run it."""

    suffix: str
    packages: tuple[str, ...]
    make: Callable[[ExportedProgram, dict[str, str]], bytes]
    runner: Callable[[bytes], Callable[[Tensor], Tensor]]


def export(
    model: DeepLabV3,
    path: Path,
    *,
    format: str = "onnx",
    output_stride: int | None = None,
    classes: Sequence[str] = (),
) -> float:
    """Write a model as a file that runs without dlv3. It is compared with the model first.

    Args:
        model: the model; it stays as it is.
        path: the file; there must be none of this name.
        format: "onnx", or "torch" for the .pt2 of torch.export.
        output_stride: the file's; None is the model's own.
        classes: the names of the classes, for the text in the file; () names them by number.

    Returns:
        The largest difference between the file's logits and the model's.

    Raises:
        ValueError: another format, an output stride that the model cannot have, a wrong number of classes, a name with
            another ending, or a package that is not installed.
        FileExistsError: there is a file of this name.
        OSError: the file cannot be written.
        ExportError: the file's logits are not the model's.
    """
    require_choice("format", format, tuple(FORMATS))
    kind = FORMATS[format]
    require("out", str(path), path.suffix == kind.suffix, f"a name that ends in {kind.suffix}")
    _require_packages(format)
    _require_new(path)
    # In double precision while folding, so that the weights are rounded once.
    plain = copy.deepcopy(model).cpu().double().eval().requires_grad_(False)
    if output_stride is not None:
        plain.set_output_stride(output_stride)
    about = describe(plain, classes)
    require_writable(path.parent)
    content = kind.make(_traced(folded(plain).float()), about)
    difference = verify(content, format, plain.float())
    _require_new(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, content)
    if path.read_bytes() != content:
        raise OSError(f"{path}: reads back other bytes than were written; delete it and check the disk")
    return difference


def describe(model: DeepLabV3, classes: Sequence[str] = ()) -> dict[str, str]:
    """Return the text for a model's file: each value is JSON, so that any language reads it.

    Args:
        model: the model, at the output stride of the file.
        classes: the names of the classes; () names them by number.

    Returns:
        classes, in the order of the logits' channels; mean and std, by which the channels of an image of 0 to 1 are
        normalised; output_stride; config, the model's configuration.

    Raises:
        ValueError: the number of names is not that of the classes.
    """
    count = model.config.num_classes
    names = list(classes) or [f"class {number}" for number in range(count)]
    require("classes", names, len(names) == count, f"{count} names, one for each class")
    mean, std = statistics_for(model.backbone.conv1.in_channels)
    values = {
        "classes": names,
        "mean": mean,
        "std": std,
        "output_stride": model.output_stride,
        "config": asdict(replace(model.config, output_stride=model.output_stride)),
    }
    return {PREFIX + name: json.dumps(value) for name, value in values.items()}


def folded(model: DeepLabV3) -> DeepLabV3:
    """Return a copy in evaluation mode, each batch normalization folded into the weights and bias of a convolution."""
    plain = copy.deepcopy(model).eval()
    plain.aux_classifier = None
    for parent in list(plain.modules()):
        for (conv_name, conv), (bn_name, bn) in pairwise(list(parent.named_children())):
            if isinstance(conv, AtrousConv2d) and isinstance(bn, BATCH_NORMS):
                setattr(parent, conv_name, fuse_conv_bn_eval(conv, bn))
                setattr(parent, bn_name, nn.Identity())
    return plain


def verify(content: bytes, format: str, model: DeepLabV3) -> float:
    """Compare a file's logits with a model's, on noise of several sizes.

    Args:
        content: the file.
        format: its format.
        model: the model, in float32 and evaluation mode.

    Returns:
        The largest difference.

    Raises:
        ExportError: it is larger than `TOLERANCE` allows, or not a number.
    """
    run = FORMATS[format].runner(content)
    generator = torch.Generator().manual_seed(0)
    largest = 0.0
    for N, H, W in CHECKED_SIZES:
        images = torch.randn(N, model.backbone.conv1.in_channels, H, W, generator=generator)
        with torch.no_grad():
            expected = model(images)
            difference = (run(images) - expected).abs().max().item()
        allowed = TOLERANCE * max(1.0, expected.abs().max().item())
        # Written so that a difference that is not a number fails.
        if not difference <= allowed:
            raise ExportError(
                f"the {format} file's logits differ from the model's by {difference:.1e} on {N} images of {H}×{W}, "
                f"more than {allowed:.1e}; nothing was written. Check the model's weights, or try another format"
            )
        largest = max(largest, difference)
    return largest


def _require_packages(format: str) -> None:
    missing = [name for name in FORMATS[format].packages if find_spec(name) is None]
    if missing:
        raise ValueError(
            f"format {format} needs {', '.join(missing)}; install what exports need: pip install 'dlv3[export]'"
        )


def _require_new(path: Path) -> None:
    if path.exists() or path.is_symlink():
        raise FileExistsError(f"{path}: exists and is not overwritten; give another name, or delete it first")


def _traced(model: DeepLabV3) -> ExportedProgram:
    # Maps of one sample are a case of its own to torch, so the sides are larger than the output stride there.
    side = {"min": model.output_stride + 1}
    sizes = {0: Dim("batch"), 2: Dim("height", **side), 3: Dim("width", **side)}
    N, H, W = 2, 4 * model.output_stride + 1, 6 * model.output_stride + 1
    images = torch.zeros(N, model.backbone.conv1.in_channels, H, W)
    program = torch.export.export(model, (images,), dynamic_shapes=(sizes,))
    for node in program.graph.nodes:
        # It would carry this machine's folders into the file.
        node.meta.pop("stack_trace", None)
    return program


def _make_onnx(program: ExportedProgram, about: dict[str, str]) -> bytes:
    made = torch.onnx.export(
        program,
        input_names=["images"],
        output_names=["logits"],
        # Only the names in the file come from here; which sides are free was settled by torch.export.
        dynamic_shapes=({0: "batch", 2: "height", 3: "width"},),
        opset_version=OPSET,
        dynamo=True,
        verbose=False,
    )
    if made is None:
        raise RuntimeError("torch.onnx.export returned nothing")
    made.model.metadata_props.update(about)
    content: bytes = made.model_proto.SerializeToString()
    return content


def _run_onnx(content: bytes) -> Callable[[Tensor], Tensor]:
    import onnxruntime

    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    return lambda images: torch.from_numpy(session.run(["logits"], {"images": images.numpy()})[0])


def _make_torch(program: ExportedProgram, about: dict[str, str]) -> bytes:
    file = BytesIO()
    torch.export.save(program, file, extra_files=about)
    return file.getvalue()


def _run_torch(content: bytes) -> Callable[[Tensor], Tensor]:
    return torch.export.load(BytesIO(content)).module()


FORMATS = {
    "onnx": Format(".onnx", ("onnx", "onnxscript", "onnxruntime"), _make_onnx, _run_onnx),
    "torch": Format(".pt2", (), _make_torch, _run_torch),
}
