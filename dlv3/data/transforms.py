"""Turn a picture and its mask into what the network reads (§4.1, "Data augmentation", "Crop size").

Training: scale, flip and crop at random. A picture that is smaller than the crop is padded with the image mean (0 after
normalising) and its mask with 255, which means no label. A mask padded with 0 would teach the network that padding is
background.

Evaluation: the whole picture at its own size. Labels are never resized and nothing is cut off.

Every random number comes from torch's global generator: its seed decides the sample.
"""

from collections.abc import Sequence
from typing import overload

import torch
import torch.nn.functional as F
from torchvision.transforms import InterpolationMode, v2
from torchvision.transforms.v2 import functional as TF

from dlv3.data.palette import IGNORE_INDEX
from dlv3.fields import require
from dlv3.ranges import SCALE, SCALE_STEP, SHARE

IMAGENET_MEAN = (0.485, 0.456, 0.406)  # RGB, of pixels from 0 to 1
IMAGENET_STD = (0.229, 0.224, 0.225)


class TrainTransform:
    """Random scale, flip and crop of a picture and its mask.

    Args:
        crop_size: side of the crop in pixels, or (height, width). 513 in the paper (§4.1), which Table 8 shows
            to matter: 321 loses ten points.
        scale: smallest and largest factor; (0.5, 2.0) in the paper, uniform in between.
        flip: probability of a left-right flip.
        mean, std: of each channel, RGB from 0 to 1.
        scale_step: distance between the possible factors; 0 for any factor. Not stated in the paper; the authors'
            code has 0.25.
        photometric: strength of random brightness, contrast and saturation, 0 to 1; 0 is off. Not in the paper:
            for small sets trained from scratch.

    Raises:
        ValueError: a value that is not possible; the argument is named.
    """

    def __init__(
        self,
        crop_size: int | tuple[int, int],
        scale: tuple[float, float] = (0.5, 2.0),
        flip: float = 0.5,
        mean: Sequence[float] = IMAGENET_MEAN,
        std: Sequence[float] = IMAGENET_STD,
        scale_step: float = 0.0,
        photometric: float = 0.0,
    ) -> None:
        height, width = (crop_size, crop_size) if isinstance(crop_size, int) else crop_size
        if height < 1 or width < 1:
            raise ValueError(f"crop_size={crop_size}: expected at least 1 pixel on each side")
        ordered = all(map(SCALE.allows, scale)) and scale[0] <= scale[1]
        require("scale", scale, ordered, f"the smallest and the largest factor, each {SCALE.in_words()}")
        require("scale_step", scale_step, SCALE_STEP.allows(scale_step), SCALE_STEP.in_words())
        require("flip", flip, SHARE.allows(flip), f"a probability, {SHARE.in_words()}")
        require("photometric", photometric, SHARE.allows(photometric), f"a strength, {SHARE.in_words()}")
        self.crop_size = (height, width)
        self.scale = scale
        self.scale_step = scale_step
        self.flip = flip
        self.mean, self.std = tuple(mean), tuple(std)
        self.photometric = v2.ColorJitter(photometric, photometric, photometric) if photometric else None

    def __call__(self, image: torch.Tensor, mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Augment one sample.

        Args:
            image: (3, H, W) uint8.
            mask: (H, W) class indices, 255 where there is no label.

        Returns:
            (3, crop, crop) float32, normalised; (crop, crop) int64.
        """
        image, mask = _plain(image), _plain(mask)
        u_scale, u_top, u_left, u_flip = torch.rand(4).tolist()
        factor = self._factor(u_scale)
        if factor != 1:
            image, mask = _resize(image, mask, factor)
        height, width = mask.shape
        crop_height, crop_width = self.crop_size
        # If the crop is larger, the offset is negative: the picture's place inside the crop.
        top, left = _offset(u_top, height, crop_height), _offset(u_left, width, crop_width)
        rows = slice(max(top, 0), max(top, 0) + crop_height)
        columns = slice(max(left, 0), max(left, 0) + crop_width)
        image, mask = image[:, rows, columns], mask[rows, columns]
        if u_flip < self.flip:
            image, mask = image.flip(-1), mask.flip(-1)
        if self.photometric is not None:
            image = self.photometric(image)
        image = _normalise(image, self.mean, self.std)

        before_x, before_y = max(-left, 0), max(-top, 0)
        after_x, after_y = crop_width - mask.shape[1] - before_x, crop_height - mask.shape[0] - before_y
        padding = (before_x, after_x, before_y, after_y)
        if any(padding):
            # 0 is the image mean, after normalising.
            image = F.pad(image, padding, value=0.0)
            mask = F.pad(mask, padding, value=IGNORE_INDEX)
        return image, mask.to(torch.int64)  # (3, crop, crop), (crop, crop)

    def _factor(self, u: float) -> float:
        """Return the scale for a uniform number from [0, 1)."""
        low, high = self.scale
        if not self.scale_step:
            return low + u * (high - low)
        steps = int((high - low) / self.scale_step + 1e-6) + 1
        return low + int(u * steps) * self.scale_step


class EvalTransform:
    """Normalise the whole picture at its own size (§4.1: whole images, labels as they are).

    Args:
        mean, std: of each channel, RGB from 0 to 1; the same as in training.
    """

    def __init__(self, mean: Sequence[float] = IMAGENET_MEAN, std: Sequence[float] = IMAGENET_STD) -> None:
        self.mean, self.std = tuple(mean), tuple(std)

    @overload
    def __call__(self, image: torch.Tensor, mask: None = None) -> tuple[torch.Tensor, None]: ...

    @overload
    def __call__(self, image: torch.Tensor, mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]: ...

    def __call__(
        self, image: torch.Tensor, mask: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Prepare one sample, or one picture to predict.

        Args:
            image: (3, H, W) uint8.
            mask: (H, W) class indices, or None.

        Returns:
            (3, H, W) float32, normalised; (H, W) int64, or None.
        """
        labels = None if mask is None else _plain(mask).to(torch.int64)
        return _normalise(_plain(image), self.mean, self.std), labels


def _resize(image: torch.Tensor, mask: torch.Tensor, factor: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Scale both: colours bilinearly with antialiasing, labels by the nearest pixel.

    NEAREST_EXACT samples at pixel centres, as the bilinear kernel does. Plain NEAREST, which torchvision uses for a
    Mask, shifts the labels against the picture by up to half a pixel.
    """
    # At least 2: torch's antialiased resize fails on an output of a single pixel.
    size = [max(2, round(side * factor)) for side in mask.shape]
    image = TF.resize(image, size, interpolation=InterpolationMode.BILINEAR, antialias=True)
    mask = TF.resize(mask[None], size, interpolation=InterpolationMode.NEAREST_EXACT, antialias=False)[0]
    return image, mask


def _offset(u: float, side: int, crop: int) -> int:
    """Return the first row (or column) of the crop, all places equally likely; negative if the crop is larger."""
    slack = side - crop
    return int(u * (slack + 1)) if slack >= 0 else -int(u * (1 - slack))


def statistics_for(
    channels: int, mean: Sequence[float] = IMAGENET_MEAN, std: Sequence[float] = IMAGENET_STD
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return the mean and the standard deviation by which each of a picture's channels is normalised.

    Channels of other kinds than RGB all have the mean of RGB's statistics, as in published adaptations.
    """
    if channels != len(mean):
        mean, std = (sum(mean) / len(mean),) * channels, (sum(std) / len(std),) * channels
    return tuple(mean), tuple(std)


def _normalise(image: torch.Tensor, mean: tuple[float, ...], std: tuple[float, ...]) -> torch.Tensor:
    mean, std = statistics_for(len(image), mean, std)
    floats = TF.to_dtype(image, torch.float32, scale=True)
    normalised: torch.Tensor = TF.normalize(floats, mean, std, inplace=image.dtype == torch.uint8)
    return normalised


def _plain(tensor: torch.Tensor) -> torch.Tensor:
    """Return a tv_tensor as an ordinary tensor, so that the loader collates and copies it without its wrapper."""
    return tensor.as_subclass(torch.Tensor)
