"""The runtimes to which a user would export the model: ONNX Runtime and OpenVINO, on the CPU.

Both get the file that `dlv3 export` writes, compute in float32, and use as many threads as torch in the same case.
Where all images have one shape they are told it beforehand, which makes them faster.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from benchmarks.rows import ResultsDiffer
from dlv3 import export as exports
from dlv3.deeplab import DeepLabV3

Run = Callable[[Tensor], Tensor]
"""Images (N, 3, H, W) to logits (N, classes, H, W)."""
Shape = Sequence[int]


@dataclass(frozen=True)
class Peer:
    """Another runtime."""

    name: str
    package: str
    start: Callable[[Path, int, Shape | None], Run]
    """Make a file ready to run, with a number of threads; None in place of a shape is for images of any size."""

    def missing(self) -> str:
        """Return why it cannot run here, or an empty text."""
        packages = (*exports.FORMATS["onnx"].packages, self.package)
        absent = [name for name in dict.fromkeys(packages) if find_spec(name) is None]
        return f"{', '.join(absent)}: not installed; pip install 'dlv3[peers]'" if absent else ""


def start_onnx_runtime(file: Path, threads: int, shape: Shape | None = None) -> Run:
    """Return a function that runs an exported model in ONNX Runtime."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Errors only.
    options.log_severity_level = 3
    if shape is not None:
        for name, side in zip(("batch", "height", "width"), (shape[0], *shape[2:]), strict=True):
            options.add_free_dimension_override_by_name(name, side)
    session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    return lambda images: torch.from_numpy(session.run(["logits"], {"images": images.numpy()})[0])


def start_openvino(file: Path, threads: int, shape: Shape | None = None) -> Run:
    """Return a function that runs an exported model in OpenVINO.

    Raises:
        ResultsDiffer: it does not compute in float32, although asked to.
    """
    import openvino

    core = openvino.Core()
    model = core.read_model(file)
    if shape is not None:
        model.reshape(list(shape))
    wanted: dict[str, Any] = {
        "INFERENCE_PRECISION_HINT": "f32",
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_NUM_THREADS": threads,
    }
    compiled = core.compile_model(model, "CPU", wanted)
    precision = compiled.get_property("INFERENCE_PRECISION_HINT").get_type_name()
    if precision != "f32":
        raise ResultsDiffer(f"OpenVINO computes in {precision}, although asked for f32")

    def run(images: Tensor) -> Tensor:
        # No copies: the answer is OpenVINO's own memory, which the next call overwrites.
        answers = compiled(images.numpy(), share_inputs=True, share_outputs=True)
        return torch.from_numpy(answers[0])

    return run


PEERS = (
    Peer("ONNX Runtime", "onnxruntime", start_onnx_runtime),
    Peer("OpenVINO", "openvino", start_openvino),
)


def exported(model: DeepLabV3, folder: Path) -> Path:
    """Write a model as `dlv3 export` does, compared with the model. Returns the file."""
    file = folder / f"os{model.output_stride}.onnx"
    exports.export(model, file)
    return file
