"""From images to probabilities and labels: at another output stride, at several scales, with flips (section 4.1).

The paper trains at output stride 16 and evaluates at 8, at the scales 0.5 to 1.75 and with left-right flips, and
takes the mean of the probabilities, not of the logits: each view of the image is a vote, and a view that is very
sure should not outvote the others by the mere size of its logits.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dlv3.deeplab import DeepLabV3
from dlv3.fast.served import InferenceModel

PAPER_SCALES = (0.5, 0.75, 1.0, 1.25, 1.5, 1.75)  # section 4.1
STRIPS = {"cpu": 2 * 2**20, "cuda": 64 * 2**20}  # bytes of all classes' scores at once


def made_ready(model: nn.Module, precision: str) -> nn.Module:
    """What gives a model's logits fastest: a `dlv3.DeepLabV3` as `for_inference` makes it, any other as it is.

    Args:
        model: stays as it is.
        precision: "float32" or "bfloat16".
    """
    return model.for_inference(getattr(torch, precision)) if isinstance(model, DeepLabV3) else model


def computing_in(model: nn.Module, precision: str, device: torch.device) -> AbstractContextManager:
    """Autocast for models that `made_ready` left as they are; one that it made has its type already."""
    autocasts = precision == "bfloat16" and not isinstance(model, InferenceModel)
    return torch.autocast(device.type, torch.bfloat16, enabled=autocasts)


@contextmanager
def at_output_stride(model: nn.Module, output_stride: int | None) -> Iterator[nn.Module]:
    """Run the model at another output stride inside the block; whatever happens there, it then has its own again.

    Args:
        model: with `output_stride` and `set_output_stride`, as `dlv3.DeepLabV3`.
        output_stride: the one to use; None keeps the model's own.

    Raises:
        ValueError: the model cannot have this output stride.
    """
    if output_stride is None:
        yield model
        return
    own = model.output_stride
    try:
        model.set_output_stride(output_stride)
        yield model
    finally:
        model.set_output_stride(own)


@contextmanager
def evaluating(model: nn.Module) -> Iterator[nn.Module]:
    """Evaluation mode and no gradients inside the block; after it, each module has its own mode again."""
    # One by one: model.train() would also wake batch normalization that someone had put to sleep by hand.
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        with torch.no_grad():
            yield model
    finally:
        for module, training in modes:
            module.training = training


def scaled_size(size: tuple[int, int], scale: float) -> tuple[int, int]:
    """An image's size at a scale: each side times the scale, rounded to the nearest pixel, halves up, at least 1.

    513 is 257 at 0.5 and 898 at 1.75. (Python's own `round` takes halves to even numbers: 256 for 513, 258 for 515.)
    """
    height, width = (max(1, int(scale * side + 0.5)) for side in size)
    return height, width


def resize_images(images: Tensor, size: tuple[int, int]) -> Tensor:
    """Bilinear, and with antialiasing where it shrinks, as in training: (N, C, H, W) to (N, C, *size)."""
    if tuple(images.shape[2:]) == tuple(size):
        return images
    return F.interpolate(images, size=size, mode="bilinear", align_corners=False, antialias=True)


def predict_probabilities(
    model: nn.Module, images: Tensor, scales: Sequence[float] = (1.0,), flip: bool = False
) -> Tensor:
    """Class probabilities at the images' own size: the mean over all scales and, with flip, mirror images.

    One sum is kept over the views, and one view is at full size at a time, so the peak does not grow with the
    number of scales; it is that of the largest scale. The model runs in evaluation mode, without gradients.

    Args:
        model: (N, 3, h, w) to logits (N, C, h, w) for any h and w. If it has `coarse_logits`, as
            `dlv3.DeepLabV3`, these are upsampled straight to the images' size.
        images: (N, 3, H, W), floating-point, normalised.
        scales: at which to look at the images, see `scaled_size`; above 0, at least one.
        flip: whether to look at the left-right mirror images too, in the same batch.

    Returns:
        (N, C, H, W) float32, of sum 1 over the classes.

    Raises:
        ValueError: no scale, or one that is not above 0.
    """
    _check_scales(scales)
    size = (images.shape[2], images.shape[3])
    total: Tensor | None = None
    with evaluating(model):
        for scale in scales:
            resized = resize_images(images, scaled_size(size, scale))
            for logits in _views(model, resized, flip):
                probabilities = _softmax_(_upsample(logits.contiguous(), size))  # (N, C, H, W)
                total = probabilities if total is None else total.add_(probabilities)
                del probabilities  # before the next view is made
    views = len(scales) * (1 + flip)
    return total if views == 1 else total.div_(views)


def predict_labels(
    model: nn.Module, images: Tensor, scales: Sequence[float] = (1.0,), flip: bool = False
) -> Tensor:
    """The most probable class of each pixel; arguments as in `predict_probabilities`.

    For one view the logits are enough, since a softmax keeps their order, and they are never there for all pixels at
    once, see `labels_at_size`.

    Returns:
        (N, H, W) int64.
    """
    if len(scales) == 1 and not flip:
        _check_scales(scales)
        size = (images.shape[2], images.shape[3])
        with evaluating(model):
            (logits,) = _views(model, resize_images(images, scaled_size(size, scales[0])), flip=False)
            return labels_at_size(logits, size)
    return predict_probabilities(model, images, scales, flip).max(dim=1).indices


def labels_at_size(scores: Tensor, size: tuple[int, int]) -> Tensor:
    """`F.interpolate(scores, size).argmax(1)`, some rows at a time: of all classes no map at full size is made.

    Columns are interpolated first, which leaves few rows. What is then made of two of them stays in the processor's
    cache until its maximum over the classes is known.

    Args:
        scores: (N, C, h, w) logits or probabilities.
        size: (H, W) of the labels, in pixels.

    Returns:
        (N, H, W) int64.
    """
    N, C, h, _ = scores.shape
    H, W = size
    wide = _upsample(scores.contiguous(memory_format=torch.channels_last), (h, W)).permute(0, 2, 3, 1)
    place = ((torch.arange(H, device=scores.device) + 0.5) * (h / H) - 0.5).clamp_(
        min=0
    )  # in rows of the map
    above = place.long()
    below = (above + 1).clamp_(max=h - 1)
    share_below = (place - above)[:, None, None]
    labels = torch.empty(N, H, W, dtype=torch.int64, device=scores.device)
    strip = STRIPS.get(scores.device.type, STRIPS["cuda"])
    some = max(1, strip // (N * C * W * wide.element_size()))
    for y in range(0, H, some):
        rows = slice(y, y + some)
        here = wide.index_select(1, above[rows])  # (N, some, W, C)
        here.lerp_(wide.index_select(1, below[rows]), share_below[rows])
        labels[:, rows] = here.max(dim=3).indices
        del here  # before the next rows are taken
    return labels


def _views(model: nn.Module, images: Tensor, flip: bool) -> Iterator[Tensor]:
    """Logits of the images and, with flip, of their mirror images, mirrored back; at whatever size they come."""
    logits_of: Callable[[Tensor], Tensor] = getattr(model, "coarse_logits", model)
    logits = logits_of(torch.cat((images, images.flip(3))) if flip else images)  # (N or 2N, C, h, w)
    N = len(images)
    yield logits[:N]
    if flip:
        yield logits[N:].flip(3)


def _upsample(logits: Tensor, size: tuple[int, int]) -> Tensor:
    """(N, C, h, w) to (N, C, *size) in float32, in a tensor of its own."""
    return F.interpolate(logits.float(), size=size, mode="bilinear", align_corners=False)


def _softmax_(logits: Tensor) -> Tensor:
    """Softmax over dimension 1, in place: on a CPU half the time of `softmax`, and half the memory."""
    logits.sub_(logits.amax(dim=1, keepdim=True)).exp_()
    return logits.div_(logits.sum(dim=1, keepdim=True))


def _check_scales(scales: Sequence[float]) -> None:
    if not scales or not all(scale > 0 for scale in scales):
        raise ValueError(
            f"scales={tuple(scales)!r}: expected at least one, each above 0, such as {PAPER_SCALES}"
        )
