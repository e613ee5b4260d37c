"""The cost of bfloat16: mIOU of the lessons' trained model on the scenes' test split, beside that of float32."""

import time
from collections.abc import Iterator

import torch

from benchmarks.interleave import Spread
from benchmarks.machine import has_bfloat16, threads
from benchmarks.options import Options
from benchmarks.rows import Case, Row
from dlv3 import assets, weights
from dlv3.data.made.scenes import Scenes
from dlv3.evaluation import EvaluationConfig, evaluate

WEIGHTS = assets.weights("scenes_laptop")


def accuracy_rows(options: Options, device: torch.device) -> Iterator[Row]:
    """Measure mIOU with both types at each output stride.

    Any processor will do: emulated bfloat16 is as accurate as that of the hardware.
    """
    model = weights.load(WEIGHTS).to(device)
    pictures = Scenes("test", pictures=options.pictures)
    for output_stride in options.output_stride:
        exact = None
        for precision in ("float32", "bfloat16"):
            config = EvaluationConfig(output_stride=output_stride, precision=precision, batch_size=8)
            begun = time.perf_counter()
            with threads(options.threads[0]):
                miou = 100 * evaluate(model, pictures, config, device=device, progress=False).miou
            seconds = Spread.of([time.perf_counter() - begun])
            note = f"mIOU {miou:.2f}%" + ("" if exact is None else f", {miou - exact:+.2f} points")
            exact = miou if exact is None else exact
            case: Case = {"os": output_stride, "pictures": len(pictures)}
            emulated = precision == "bfloat16" and not has_bfloat16(device)
            name = f"dlv3, {precision}"
            yield Row("accuracy", name, case, seconds, dtype=precision, emulated=emulated, note=note)
