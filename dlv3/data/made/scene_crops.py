"""Pictures of one object to pretrain on, in the place of ImageNet, for the made scenes."""

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from dlv3.data.made.scenes import RADII, STRIP_COLOURS, Strip, random_shape, random_wire
from dlv3.data.made.shapes import Canvas
from dlv3.data.made.splits import check_split
from dlv3.data.made.textures import UNIT, RandomStream, background_fill

SIZE = 65  # pixels
EXTENT = SIZE * UNIT
LARGEST = 28 * UNIT  # the largest of the scenes' radii that fits a crop
SHAPES = ("disc", "square", "triangle", "ring", "cross", "wire")
STRIPS = ("none", *STRIP_COLOURS)
SPLITS = {"train": 12_000, "val": 2_000}
_STREAM = 1_000_003  # keeps these pictures' random streams apart from those of the scenes


class SceneCrops(Dataset[tuple[Tensor, int, int]]):
    """Pictures of 65×65 pixels with one of the scenes' objects, and with a strip along a side or none.

    `dataset[i]` is (image, shape, strip): uint8 (3, 65, 65), an index into SHAPES, an index into STRIPS. Objects,
    fills, grounds and strips are the scenes' own; no picture is one of the scenes.

    Args:
        split: "train" or "val".
        pictures: how many; 12,000 and 2,000 when left out.
        seed: another seed gives other pictures.

    Raises:
        DataError: a split, number of pictures or seed that is not possible.
    """

    def __init__(self, split: str, *, pictures: int | None = None, seed: int = 0) -> None:
        self.split, self.seed = split, seed
        self._length = check_split("scene crops", split, pictures, seed, SPLITS)

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, index: int) -> tuple[Tensor, int, int]:
        index = range(len(self))[index]
        stream = RandomStream(self.seed, list(SPLITS).index(self.split), index, _STREAM)
        image, shape, strip = _draw(stream)
        return torch.from_numpy(image), shape, strip


def _draw(stream: RandomStream) -> tuple[np.ndarray, int, int]:
    canvas = Canvas(SIZE, extent=SIZE)
    canvas.fill(background_fill(stream))
    strip = stream.pick(STRIPS)
    shape = stream.pick(SHAPES)
    if shape == "wire":
        random_wire(stream, EXTENT).draw(canvas, 1)
    else:
        radius = stream.pick([r for r in RADII if r <= LARGEST])
        x, y = (stream.between(EXTENT * 2 // 5, EXTENT * 3 // 5) for _ in range(2))
        drawn = random_shape(stream, x, y, radius)
        # The kind was drawn here, evenly: the scenes' own draw has discs twice as often.
        type(drawn)(shape, x, y, radius, drawn.angle, drawn.fill).draw(canvas, 1)
    if strip != "none":
        Strip(stream.pick(("left", "right", "top", "bottom")), strip).draw(canvas, EXTENT)
    return canvas.picture(), SHAPES.index(shape), STRIPS.index(strip)
