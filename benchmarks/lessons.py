"""Compare the lessons' own network, training and evaluation, with the same network in plain torch.

Plain torch is the model of `dlv3.deeplab` as it is built, with torch's own loss, optimizer and argmax around it.
"""

import copy
from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from benchmarks.compare import Contender, compared
from benchmarks.counting import Operations, count
from benchmarks.machine import threads
from benchmarks.options import Options
from benchmarks.rows import Case, ResultsDiffer, Row
from benchmarks.training import Batch, differences, dlv3_step, made_batch, plain_step
from dlv3 import DeepLabV3, assets, weights
from dlv3.config.evaluation import EvaluationConfig
from dlv3.config.presets import preset
from dlv3.data.made.scenes import Scenes
from dlv3.data.transforms import EvalTransform
from dlv3.evaluation import evaluate
from dlv3.training.loss import IGNORE_INDEX

PICTURES = 160
"""Of an evaluation; fewer with --pictures."""
DIFFERENT_PIXELS = 1e-4
"""The share of the pixels that two evaluations may label differently: where two logits are equal to rounding."""


def lesson_rows(options: Options, device: torch.device) -> Iterator[Row]:
    """Measure a training iteration and an evaluation of the laptop preset, with each number of threads."""
    run = preset("laptop")
    size, batch_size = run.training.crop_size, run.training.batch_size
    trained = weights.load(assets.weights("scenes_laptop")).to(device)
    batch = made_batch((batch_size, 3, size, size), device, run.model.num_classes)
    drawn = Drawn(min(PICTURES, options.pictures or PICTURES), size)
    for number in options.threads[:1] if device.type == "cuda" else options.threads:
        with threads(number):
            case: Case = {"os": trained.output_stride, "batch": batch_size, "size": size}
            if device.type == "cpu":
                case["threads"] = number
            yield from _training(trained, batch, case, options)
            yield from _evaluation(trained, drawn, case, options)


class Drawn:
    """Some scenes that are drawn beforehand, as a data set."""

    def __init__(self, pictures: int, size: int) -> None:
        scenes = Scenes("val", size=size, pictures=pictures)
        self.classes = scenes.classes
        self._samples = [scenes[index] for index in range(len(scenes))]

    def __len__(self) -> int:
        return len(self._samples)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        return self._samples[index]


def _training(model: DeepLabV3, batch: Batch, case: Case, options: Options) -> list[Row]:
    plain = plain_step(copy.deepcopy(model), batch, torch.float32)
    ours = dlv3_step(copy.deepcopy(model), batch, torch.float32)
    contenders = [
        Contender("torch, training", plain),
        Contender("dlv3, training", ours, difference=max(differences(model, model, batch)), ours=True),
    ]
    operations = count_meta(model, batch[0].shape, backward=True)
    return compared("lessons", case, contenders, options, batch[0].device, operations)


def _evaluation(model: DeepLabV3, drawn: Drawn, case: Case, options: Options) -> list[Row]:
    batch_size, device = int(case["batch"]), next(model.parameters()).device
    config = EvaluationConfig(batch_size=batch_size)
    transform = EvalTransform()

    def ours() -> Tensor:
        found = evaluate(model, drawn, config, transform=transform, device=device, progress=False)
        return torch.tensor(found.confusion)

    def plain() -> Tensor:
        return plain_evaluation(model, drawn, transform, batch_size, device)

    mine, theirs = ours(), plain()
    moved = int((mine - theirs).abs().sum()) // 2
    if moved > DIFFERENT_PIXELS * int(theirs.sum()):
        raise ResultsDiffer(f"lessons, evaluation: {moved} pixels are counted as another class")
    per_picture = count_meta(model, torch.Size((1, 3, int(case["size"]), int(case["size"]))), backward=False)
    operations = Operations(len(drawn) * per_picture.all, len(drawn) * per_picture.useful)
    note = f"{len(drawn)} pictures"
    contenders = [
        Contender("torch, evaluation", plain, note=note),
        Contender("dlv3, evaluation", ours, note=f"{note}, {moved} pixels of another class", ours=True),
    ]
    return compared("lessons", case, contenders, options, device, operations)


@torch.no_grad()
def plain_evaluation(
    model: DeepLabV3,
    drawn: Drawn,
    transform: Callable[[Tensor, Tensor], tuple[Tensor, Tensor]],
    batch_size: int,
    device: torch.device,
) -> Tensor:
    """Return the pixels by label and prediction, as torch's users count them."""
    model.eval()
    classes = len(drawn.classes)
    confusion = torch.zeros(classes, classes, dtype=torch.int64)
    for first in range(0, len(drawn), batch_size):
        samples: Sequence[tuple[Tensor, Tensor]] = [
            transform(*drawn[index]) for index in range(first, min(first + batch_size, len(drawn)))
        ]
        images = torch.stack([image for image, _ in samples]).to(device)
        labels = torch.stack([label for _, label in samples]).to(device)
        logits = F.interpolate(
            model.coarse_logits(images), size=images.shape[2:], mode="bilinear", align_corners=False
        )
        predicted, labelled = logits.argmax(1), labels != IGNORE_INDEX
        places = classes * labels[labelled] + predicted[labelled]
        confusion += torch.bincount(places, minlength=classes**2).view(classes, classes).cpu()
    return confusion


def count_meta(model: DeepLabV3, shape: torch.Size, *, backward: bool) -> Operations:
    """Count the operations of a model on images of a shape, without computing them."""
    with torch.device("meta"):
        same, images = DeepLabV3(model.config), torch.empty(shape)
    if not backward:
        with torch.no_grad():
            return count(lambda: same.eval()(images))
    return count(lambda: same.train()(images).sum().backward())
