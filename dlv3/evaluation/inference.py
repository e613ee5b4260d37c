"""Predict probabilities and labels of images, at several scales and with flips (section 4.1).

The paper evaluates at the scales 0.5 to 1.75 and with left-right flips, and takes the mean of the probabilities, not
of the logits: each view of the image is a vote, and a view that is very sure should not outvote the others by the
mere size of its logits.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dlv3.evaluation.labels import labels_at_size, upsample
from dlv3.evaluation.modes import evaluating
from dlv3.fields import require
from dlv3.ranges import SCALE


class NotFiniteError(ValueError):
    """A model gives logits from which no class follows: NaN or infinity."""


PAPER_SCALES = (0.5, 0.75, 1.0, 1.25, 1.5, 1.75)  # section 4.1


def scaled_size(size: tuple[int, int], scale: float) -> tuple[int, int]:
    """Return an image's size at a scale: each side times the scale, rounded to the nearest pixel, at least 1.

    Halves are rounded up: 513 is 257 at 0.5 and 898 at 1.75. (Python's own `round` rounds halves to even numbers:
    256 for 513, 258 for 515.)
    """
    height, width = (max(1, int(scale * side + 0.5)) for side in size)
    return height, width


def resize_images(images: Tensor, size: tuple[int, int]) -> Tensor:
    """Resize bilinearly, with antialiasing where it shrinks, as in training: (N, C, H, W) to (N, C, *size)."""
    if tuple(images.shape[2:]) == tuple(size):
        return images
    return F.interpolate(images, size=size, mode="bilinear", align_corners=False, antialias=True)


def predict_probabilities(
    model: nn.Module, images: Tensor, scales: Sequence[float] = (1.0,), flip: bool = False
) -> Tensor:
    """Compute class probabilities at the images' own size: the mean over all scales and, with flip, mirror images.

    One sum is kept over the views, and one view is at full size at a time, so the peak of memory does not grow with
    the number of scales; it is that of the largest scale. The model runs in evaluation mode, without gradients.

    Args:
        model: (N, 3, h, w) to logits (N, C, h, w) for any h and w, or to a mapping with these as "out", as
            torchvision's models. If it has `coarse_logits`, as `dlv3.DeepLabV3`, these are upsampled straight to the
            images' size.
        images: (N, 3, H, W), floating-point, normalised.
        scales: at which to look at the images, see `scaled_size`; 0.01 to 16, at least one.
        flip: whether to look at the left-right mirror images too, in the same batch.

    Returns:
        (N, C, H, W) float32, of sum 1 over the classes.

    Raises:
        TypeError: images are not a floating-point tensor, or the model returns something else than logits.
        ValueError: no scale, or one out of range; images of another shape; logits that are not finite, as from
            damaged weights (NotFiniteError).
    """
    _check_scales(scales)
    _check_images(images)
    size = (images.shape[2], images.shape[3])
    total: Tensor | None = None
    finite: Tensor | None = None
    with evaluating(model):
        for scale in scales:
            resized = resize_images(images, scaled_size(size, scale))
            for logits in _views(model, resized, flip):
                finite = _is_finite(logits) if finite is None else finite & _is_finite(logits)
                probabilities = _softmax_(upsample(logits.contiguous(), size))  # (N, C, H, W)
                total = probabilities if total is None else total.add_(probabilities)
                # Freed before the next view is made.
                del probabilities
    # There is at least one scale.
    assert total is not None
    assert finite is not None
    _require_finite(finite)
    views = len(scales) * (1 + flip)
    return total if views == 1 else total.div_(views)


def predict_labels(
    model: nn.Module, images: Tensor, scales: Sequence[float] = (1.0,), flip: bool = False
) -> Tensor:
    """Predict the most probable class of each pixel; arguments as in `predict_probabilities`.

    For one view the logits are enough, since a softmax keeps their order, and no full-size map of every class is
    made, see `labels_at_size`.

    Returns:
        (N, H, W) int64.
    """
    if len(scales) == 1 and not flip:
        _check_scales(scales)
        _check_images(images)
        size = (images.shape[2], images.shape[3])
        with evaluating(model):
            (logits,) = _views(model, resize_images(images, scaled_size(size, scales[0])), flip=False)
            labels = labels_at_size(logits, size)
            _require_finite(_is_finite(logits))
            return labels
    return predict_probabilities(model, images, scales, flip).max(dim=1).indices


def _views(model: nn.Module, images: Tensor, flip: bool) -> Iterator[Tensor]:
    """Yield the logits, at the size the model gives them, of the images and, with flip, of their mirror images.

    The logits of mirror images are mirrored back.
    """
    logits_of: Callable[[Tensor], object] = getattr(model, "coarse_logits", model)
    found = logits_of(torch.cat((images, images.flip(3))) if flip else images)
    logits = found.get("out") if isinstance(found, Mapping) else found  # (N or 2N, C, h, w)
    if not isinstance(logits, Tensor) or logits.ndim != 4:
        shape = f" of shape {tuple(logits.shape)}" if isinstance(logits, Tensor) else ""
        raise TypeError(
            f"the model returns a {type(found).__name__}{shape}: expected logits (N, C, h, w), or a mapping with these "
            'as "out"'
        )
    N = len(images)
    yield logits[:N]
    if flip:
        yield logits[N:].flip(3)


def _softmax_(logits: Tensor) -> Tensor:
    """Apply softmax over dimension 1 in place: on a CPU half the time of `softmax`, and half the memory."""
    logits.sub_(logits.amax(dim=1, keepdim=True)).exp_()
    return logits.div_(logits.sum(dim=1, keepdim=True))


def _is_finite(logits: Tensor) -> Tensor:
    """Return a truth value, still on the device. -inf counts too: interpolated, it is NaN."""
    return logits.isfinite().all()


def _require_finite(finite: Tensor) -> None:
    if not finite:
        raise NotFiniteError(
            "the model's logits are not finite numbers (NaN or infinity), so no class follows from them: its weights "
            "are damaged or its training diverged; give other weights, or float32 where a narrower type was chosen"
        )


def _check_images(images: object) -> None:
    if not isinstance(images, Tensor):
        raise TypeError(
            f"images is a {type(images).__name__}: expected a tensor (N, 3, H, W), normalised, as "
            "dlv3.data.EvalTransform makes it of a picture; torch.stack makes one of a list of equal size"
        )
    hint = "; images[None] is a batch of one" if images.ndim == 3 else ""
    if images.ndim != 4:
        raise ValueError(f"images.shape={tuple(images.shape)}: expected (N, 3, H, W){hint}")
    if not images.is_floating_point():
        raise TypeError(
            f"images.dtype={images.dtype}: expected floating-point, normalised, as dlv3.data.EvalTransform makes it"
        )


def _check_scales(scales: Sequence[float]) -> None:
    holds = bool(scales) and all(map(SCALE.allows, scales))
    require("scales", tuple(scales), holds, f"at least one, each {SCALE.in_words()}, such as {PAPER_SCALES}")
