"""A small folder of pictures and masks, as a user has one."""

from pathlib import Path

import numpy as np
from PIL import Image


def make_photos(folder: Path, width: int = 50, height: int = 40, *, lists: bool = True) -> Path:
    """Make six pictures with the labels 0 to 2, and 11 where there is none: four to train on and two to validate.

    Args:
        folder: made.
        width, height: of every picture, in pixels.
        lists: whether train.txt and val.txt say which is which.
    """
    generator = np.random.default_rng(0)
    for part in ("images", "masks"):
        (folder / part).mkdir(parents=True)
    for number in range(6):
        pixels = generator.integers(0, 255, (height, width, 3), np.uint8)
        Image.fromarray(pixels).save(folder / f"images/{number}.png")
        mask = generator.choice(np.array([0, 1, 2, 11], np.uint8), (height, width))
        Image.fromarray(mask).save(folder / f"masks/{number}.png")
    for split, names in (("train", "0123"), ("val", "45")) if lists else ():
        (folder / f"{split}.txt").write_text("\n".join(names))
    return folder
