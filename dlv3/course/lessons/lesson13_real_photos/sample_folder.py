"""A folder as labelling tools leave it: photos, masks with the tool's own numbers, and some files that are wrong.

The photos are pieces of the one photo that comes with matplotlib, with shapes stuck on them: objects whose outlines
are known to the pixel. They are made for a lesson that has to run without a network, and stand in for a folder of
your own: every background is a piece of one wall, so a score on them says little about other walls.
"""

from functools import cache, partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from dlv3.course.kit.sample_photo import sample_photo
from dlv3.data.made.shapes import Canvas, Shape
from dlv3.data.made.textures import CANONICAL_SIZE, UNIT, RandomStream, object_fill
from dlv3.files import write_atomically, write_with

Pixels = npt.NDArray[np.uint8]
Face = tuple[int, int, int, int]
"""Left, top, right and bottom."""

CLASSES = ("background", "disc", "square", "triangle")
# The labelling tool's numbers, in the order of CLASSES, and its number for "I cannot tell".
TOOL_NUMBERS = (0, 20, 30, 40)
CANNOT_TELL = 99
LONG_SIDE = 193  # pixels
SHORT_SIDES = (129, 145, 161, 177, 193)
TRAIN, VAL = 64, 24
_STREAM = 1_000_012  # separate from the random numbers of other made pictures
_EXTENT = CANONICAL_SIZE * UNIT
_FACE: Face = (165, 85, 360, 350)  # its left, top, right and bottom in the photo, in pixels

# The problem of each spoilt mask; all other files are fine.
SPOILT = {"train_05": "no mask", "train_17": "channels", "train_29": "size", "train_41": "label"}


@cache
def colour_photo() -> Pixels:
    """Return the course's photo: (600, 512, 3) uint8."""
    return np.asarray(sample_photo())


def draw(index: int, split: str) -> tuple[Pixels, Pixels]:
    """Draw a piece of the photo with up to five shapes on it; none lies on the face.

    Returns:
        (H, W, 3) uint8; (H, W) uint8 of the tool's numbers, with a border of CANNOT_TELL along each outline.
    """
    stream = RandomStream(_STREAM, ("train", "val").index(split), index)
    canvas = Canvas(LONG_SIDE)
    ground, face = _background(stream)
    canvas.image[:] = ground.transpose(2, 0, 1)
    for x, y, radius in _places(stream, face):
        kind = stream.pick(CLASSES[1:])
        shape = Shape(kind, x, y, radius, stream.between(-80, 80), object_fill(stream))
        shape.draw(canvas, CLASSES.index(kind))
    height, width = LONG_SIDE, stream.pick(SHORT_SIDES)
    if stream.below(2):
        height, width = width, height
    image = canvas.picture().transpose(1, 2, 0)[:height, :width]
    return np.ascontiguousarray(image), _as_the_tool_saves(canvas.labels)[:height, :width]


def _background(stream: RandomStream) -> tuple[Pixels, Face]:
    """Return a piece of the photo, made smaller, lighter or darker, and the place of the face in it.

    Returns:
        (LONG_SIDE, LONG_SIDE, 3) uint8; left, top, right and bottom, in 1/64 px of the canvas.
    """
    photo = colour_photo()
    side = stream.between(LONG_SIDE, 2 * LONG_SIDE)
    top, left = stream.below(photo.shape[0] - side), stream.below(photo.shape[1] - side)
    corners = ((v - o) * _EXTENT // side for v, o in zip(_FACE, (left, top, left, top), strict=True))
    face_left, face_top, face_right, face_bottom = corners
    image = Image.fromarray(photo[top : top + side, left : left + side])
    piece = np.asarray(image.resize((LONG_SIDE, LONG_SIDE), Image.Resampling.BILINEAR)).astype(np.int32)
    if stream.below(2):
        piece, face_left, face_right = piece[:, ::-1], _EXTENT - face_right, _EXTENT - face_left
    lit = (piece * stream.between(150, 256) >> 8).astype(np.uint8)
    return lit, (face_left, face_top, face_right, face_bottom)


def _places(stream: RandomStream, face: Face) -> list[tuple[int, int, int]]:
    """Choose centre and radius of up to five shapes that touch neither the face nor each other, in 1/64 px."""
    left, top, right, bottom = face
    places: list[tuple[int, int, int]] = []
    wanted = stream.between(2, 5)
    for _ in range(60):
        x, y, radius = stream.below(_EXTENT), stream.below(_EXTENT), stream.between(11 * UNIT, 27 * UNIT)
        dx, dy = max(left - x, x - right, 0), max(top - y, y - bottom, 0)
        free = dx**2 + dy**2 > radius**2
        if free and all((x - a) ** 2 + (y - b) ** 2 > (radius + r) ** 2 for a, b, r in places):
            places.append((x, y, radius))
        if len(places) == wanted:
            break
    return places


def _as_the_tool_saves(labels: Pixels) -> Pixels:
    """Turn classes into the tool's numbers; CANNOT_TELL where two classes meet within a pixel."""
    padded = np.pad(labels, 1, mode="edge")
    height, width = labels.shape
    around = [padded[y : y + height, x : x + width] for y in range(3) for x in range(3)]
    numbers: Pixels = np.array(TOOL_NUMBERS, np.uint8)[labels]
    numbers[np.min(around, axis=0) != np.max(around, axis=0)] = CANNOT_TELL
    return numbers


def make(root: Path) -> None:
    """Write images/, masks/, train.txt, val.txt and classes.txt: good files, odd ones, and those of SPOILT.

    Args:
        root: the folder; it is made if needed, and files in it are replaced.
    """
    for folder in ("images", "masks"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    for split, count in (("train", TRAIN), ("val", VAL)):
        names = [f"{split}_{i:02d}" for i in range(count)]
        for i, name in enumerate(names):
            image, numbers = draw(i, split)
            suffix = "JPG" if name == "train_11" else "jpg"  # as some cameras write it; this is fine
            photo, place = Image.fromarray(image), root / "images" / f"{name}.{suffix}"
            write_with(place, partial(photo.save, format="JPEG", quality=90))
            _save_mask(numbers, name, root / "masks")
        write_atomically(root / f"{split}.txt", ("\n".join(names) + "\n").encode())
    write_atomically(root / "classes.txt", ("\n".join(CLASSES) + "\n").encode())


def _save_mask(numbers: Pixels, name: str, folder: Path) -> None:
    """Save a mask, spoilt if SPOILT says so."""
    problem = SPOILT.get(name)
    mask = Image.fromarray(numbers)
    if problem == "no mask":
        name = name.replace("_", "-")
    elif problem == "channels":
        mask = mask.convert("RGB")
    elif problem == "size":
        mask = mask.resize((mask.width // 2, mask.height // 2), Image.Resampling.NEAREST)
    elif problem == "label":
        mask = Image.fromarray(np.where(numbers == TOOL_NUMBERS[2], 70, numbers).astype(np.uint8))
    elif name == "val_03":  # a palette PNG: looks odd, but is fine
        mask.putpalette([value for i in range(256) for value in (i * 37 % 256, i * 91 % 256, i * 151 % 256)])
    write_with(folder / f"{name}.png", partial(mask.save, format="PNG"))
