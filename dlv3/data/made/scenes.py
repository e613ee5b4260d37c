"""Scenes: the embedded data set, drawn in code, with the properties the paper's claims are about.

A picture holds four to eight shapes of very different sizes (radius 5 to 40 px of 129: objects at multiple
scales, the paper's §1) and one to three thin wires, on a dull, dark ground. Every object takes its fill from
one bank of textures, blind to its class: the inside of a large object says nothing about what it is, so a
network must see as far as the outline. A striped strip along one side decides whether every disc of the picture is
a sun or a coin: a feature of the whole picture, by construction.

Everything follows from [seed, split, index] by integer arithmetic (see textures.py): the same bytes on every
machine. A picture's layout does not depend on `size`, which only draws it with more pixels.

Drawing takes 2.2 ms of one core (AMD EPYC) at 129 pixels, about 450 pictures a second and worker; 4.4 ms at 257 and
33 ms at 513. Measured with

    python -m timeit -p -n 300 -s "from dlv3.data import Scenes; s = Scenes('train'); i = iter(s)" "next(i)"
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch.utils.data import Dataset
from torchvision import tv_tensors

from dlv3.data.errors import DataError
from dlv3.data.labels import labels_in
from dlv3.data.made.shapes import Canvas, Shape, Wire
from dlv3.data.made.splits import check_split
from dlv3.data.made.textures import (
    CANONICAL_SIZE,
    TURN,
    UNIT,
    Colour,
    Fill,
    RandomStream,
    background_fill,
    object_fill,
)
from dlv3.data.palette import SCENES_PALETTE

CLASSES = ("background", "sun", "coin", "square", "triangle", "ring", "cross", "wire")
# The labels without the scene cue: sun and coin are one class.
CLASSES_WITHOUT_CUE = ("background", "disc", *CLASSES[3:])
# The classes that the outline alone tells, with the scene cue or without; evaluations report their mean IOU too.
OUTLINE_CLASSES = ("background", "square", "triangle", "ring", "cross", "wire")
SPLITS = {"train": 4000, "val": 400, "test": 400}  # and their default numbers of pictures
SIZES = (129, 513)

# Discs are drawn twice as often as the rest: a sun, or a coin, is then as common as a square.
KINDS = ("disc", "disc", "square", "triangle", "ring", "cross")
# Radii from 5 to 40 px, evenly spaced in the logarithm.
RADII = tuple(round(5 * UNIT * 8 ** (k / 256)) for k in range(257))
MAX_TILT = 49  # 0.3 rad, in 1/1024 of a turn
EXTENT = CANONICAL_SIZE * UNIT

SIDES = ("left", "right", "top", "bottom")
STRIP_WIDTH = 10 * UNIT
STRIP_COLOURS: dict[str, tuple[Colour, Colour]] = {
    "sun": ((245, 160, 0), (105, 65, 0)),  # orange
    "coin": ((0, 130, 215), (0, 50, 95)),  # blue
}


@dataclass(frozen=True)
class Strip:
    """The striped strip along one side, which decides the class of all discs in the picture."""

    side: str  # one of SIDES
    disc: str  # a key of STRIP_COLOURS

    def draw(self, canvas: Canvas, extent: int = EXTENT) -> None:
        """Paint the strip over everything else; it is background."""
        upright = self.side in ("left", "right")
        fill = Fill("stripes", 8 * UNIT, TURN // 4 if upright else 0, 0, None, *STRIP_COLOURS[self.disc])
        depth = canvas.positions if self.side in ("left", "top") else extent - canvas.positions  # (size,)
        depth = depth[None, :] if upright else depth[:, None]
        whole = slice(0, canvas.size)
        distance = np.broadcast_to(depth - STRIP_WIDTH, (canvas.size, canvas.size))
        canvas.draw(distance, whole, whole, fill, label=0)


@dataclass(frozen=True)
class Layout:
    """Everything in a picture, from back to front."""

    ground: Fill
    wires: tuple[Wire, ...]
    shapes: tuple[Shape, ...]
    strip: Strip

    def draw(self, size: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the picture (3, size, size) and its labels (size, size), both uint8; labels index CLASSES."""
        canvas = Canvas(size)
        canvas.fill(self.ground)
        for wire in self.wires:
            wire.draw(canvas, CLASSES.index("wire"))
        for shape in self.shapes:
            shape.draw(canvas, CLASSES.index(self.strip.disc if shape.kind == "disc" else shape.kind))
        self.strip.draw(canvas)
        return canvas.picture(), canvas.labels


def draw_layout(stream: RandomStream) -> Layout:
    """Draw the contents of a picture at random."""
    strip = Strip(stream.pick(SIDES), stream.pick(tuple(STRIP_COLOURS)))
    ground = background_fill(stream)
    wires = tuple(random_wire(stream, EXTENT) for _ in range(stream.between(1, 3)))
    places = _places(stream, strip)
    shapes = tuple(random_shape(stream, *place) for place in places)
    return Layout(ground, wires, shapes, strip)


def random_shape(stream: RandomStream, x: int, y: int, radius: int) -> Shape:
    """Draw a shape of any kind, tilt and fill at a place (in 1/64 px)."""
    kind = stream.pick(KINDS)
    return Shape(kind, x, y, radius, stream.between(-MAX_TILT, MAX_TILT), object_fill(stream))


def random_wire(stream: RandomStream, extent: int) -> Wire:
    """Draw a wire 4 to 6.5 px wide through the inner half of a picture of side `extent` (in 1/64 px)."""
    x, y = (stream.between(extent // 4, extent * 3 // 4) for _ in range(2))
    angle, bend_radius = stream.below(TURN), stream.between(60 * UNIT, 400 * UNIT)
    return Wire(x, y, angle, bend_radius, stream.between(4 * UNIT, 13 * UNIT // 2), object_fill(stream))


def _places(stream: RandomStream, strip: Strip) -> list[tuple[int, int, int]]:
    """Draw centre and radius of four to eight shapes, largest first: others hide less than 15% of a shape.

    The radii are kept while places are tried. If the shapes do not fit after many tries, all radii are drawn again.
    """
    low = {side: STRIP_WIDTH if side == strip.side else 0 for side in SIDES}
    while True:
        radii = sorted((stream.pick(RADII) for _ in range(stream.between(4, 8))), reverse=True)
        places: list[tuple[int, int, int]] = []
        for _ in range(40 * len(radii)):
            radius = radii[len(places)]
            # The picture's side cuts off at most a fifth of a shape's width.
            margin = radius * 3 // 5
            x = stream.between(low["left"] + margin, EXTENT - low["right"] - margin)
            y = stream.between(low["top"] + margin, EXTENT - low["bottom"] - margin)
            if all(_apart(x, y, radius, *other) for other in places):
                places.append((x, y, radius))
                if len(places) == len(radii):
                    return places


def _apart(x: int, y: int, radius: int, other_x: int, other_y: int, other_radius: int) -> bool:
    """Tell whether two shapes overlap little: their circles by at most a fifth of the smaller radius."""
    reach = radius + other_radius - min(radius, other_radius) // 5
    return (x - other_x) ** 2 + (y - other_y) ** 2 >= reach**2


class Scenes(Dataset[tuple[tv_tensors.Image, tv_tensors.Mask]]):
    """The scenes of one split.

    Args:
        split: "train", "val" or "test"; no picture is in two of them.
        size: side of the pictures in pixels, 129 to 513. Radii, wires and the strip grow with it.
        scene_cue: whether discs are labelled "sun" or "coin", as the strip says (8 classes); otherwise both
            are "disc" (7 classes), and the outline tells the class of every object.
        pictures: how many; None for 4,000 in train, 400 in val and in test. The first pictures are the same for
            any number.
        seed: another seed gives other pictures.

    Raises:
        DataError: a split, size, number of pictures or seed that is not possible.
    """

    def __init__(
        self,
        split: str,
        *,
        size: int = CANONICAL_SIZE,
        scene_cue: bool = True,
        pictures: int | None = None,
        seed: int = 0,
    ) -> None:
        if not SIZES[0] <= size <= SIZES[1]:
            raise DataError(f"size={size}: expected {SIZES[0]} to {SIZES[1]} pixels a side")
        self.split, self.size, self.scene_cue, self.seed = split, size, scene_cue, seed
        self._length = check_split("scenes", split, pictures, seed, SPLITS)
        self.classes: tuple[str, ...] = CLASSES if scene_cue else CLASSES_WITHOUT_CUE
        self.num_classes = len(self.classes)
        self.groups = {"shapes": tuple(self.classes.index(name) for name in OUTLINE_CLASSES)}
        self.palette = SCENES_PALETTE if scene_cue else np.delete(SCENES_PALETTE, 2, axis=0)

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, index: int) -> tuple[tv_tensors.Image, tv_tensors.Mask]:
        """Picture `index`: image (3, size, size) uint8 and mask (size, size) uint8."""
        image, mask = self.layout(index).draw(self.size)
        if not self.scene_cue:
            mask -= mask >= CLASSES.index("coin")
        return tv_tensors.Image(torch.from_numpy(image)), tv_tensors.Mask(torch.from_numpy(mask))

    def layout(self, index: int) -> Layout:
        """Return the contents of picture `index`, for any size."""
        # Raises IndexError past the end; -1 is the last.
        index = range(len(self))[index]
        return draw_layout(RandomStream(self.seed, list(SPLITS).index(self.split), index))

    def name(self, index: int) -> str:
        """Return a name for the picture's files, such as "scenes-val-00007"."""
        return f"scenes-{self.split}-{range(len(self))[index]:05d}"

    def classes_in(self, index: int) -> frozenset[int]:
        """Return the labels that occur in picture `index`."""
        return labels_in(self[index][1])
