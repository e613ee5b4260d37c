"""Compare the counting of mIOU, `dlv3.evaluation.ConfusionMatrix`, with torchmetrics' MulticlassConfusionMatrix."""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from benchmarks.compare import Contender, compared
from benchmarks.machine import threads
from benchmarks.options import Options
from benchmarks.rows import Case, ResultsDiffer, Row, Unavailable
from dlv3.evaluation import ConfusionMatrix

CLASSES, IGNORED = 21, 255


def metrics_rows(options: Options, device: torch.device) -> Iterator[Row]:
    """Measure the counting of one batch of four maps, from predicted classes and from logits.

    Raises:
        Unavailable: torchmetrics is not installed.
        ResultsDiffer: the two do not agree.
    """
    side = options.size
    generator = torch.Generator().manual_seed(3)
    labels = torch.randint(CLASSES, (4, side, side), generator=generator)
    labels[torch.rand(labels.shape, generator=generator) < 0.05] = IGNORED
    logits = torch.randn(4, CLASSES, side, side, generator=generator)
    for name, predicted in (("classes", logits.argmax(1)), ("logits", logits)):
        ours, theirs = _counters(predicted.to(device), labels.to(device), device)
        if not torch.equal(ours(), theirs()):
            raise ResultsDiffer(f"from {name}: dlv3 and torchmetrics count differently")
        case: Case = {"from": name, "batch": 4, "size": side}
        with threads(options.threads[0]):
            contenders = [Contender("torchmetrics", theirs), Contender("dlv3", ours, note="equal counts")]
            yield from compared("metrics", case, contenders, options, device)


def _counters(
    predicted: Tensor, labels: Tensor, device: torch.device
) -> tuple[Callable[[], Tensor], Callable[[], Tensor]]:
    """Return two functions that count one batch and return the matrix on the CPU: ours and torchmetrics'."""
    try:
        from torchmetrics.classification import MulticlassConfusionMatrix
    except ModuleNotFoundError as error:
        raise Unavailable("torchmetrics is not installed: pip install torchmetrics") from error

    def ours() -> Tensor:
        matrix = ConfusionMatrix(CLASSES, IGNORED)
        matrix.update(predicted, labels)
        return matrix.matrix

    metric = MulticlassConfusionMatrix(CLASSES, ignore_index=IGNORED).to(device)

    def theirs() -> Tensor:
        metric.reset()
        metric.update(predicted, labels)
        return metric.compute().cpu()

    return ours, theirs
