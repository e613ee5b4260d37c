"""A table of colours and classes, for masks that are pictures in colour.

Tables of three kinds are read, one class a line; empty lines and comments, which begin with #, are passed over:

    128 64 128 road          colours.txt: red, green, blue and the name; or the name first; commas will do too
    road:128,64,128::        labelmap.txt, as CVAT writes it
    name,r,g,b               class_dict.csv, with this first line

The classes are numbered in the order of the lines. A name that comes twice is one class of two colours. The names
void, ignore, unlabelled and unlabeled are not classes: their pixels become 255.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dlv3.data.errors import DataError
from dlv3.data.palette import IGNORE_INDEX

TABLES = ("colours.txt", "labelmap.txt", "class_dict.csv")
"""The names that are looked for in the data's folder."""

_NO_LABEL = ("void", "ignore", "unlabelled", "unlabeled")
_LABELMAP = re.compile(r"(?P<name>[^:]*):\s*(?P<rgb>\d+\s*,\s*\d+\s*,\s*\d+)\s*(:.*)?")
_COLOUR_FIRST = re.compile(r"(?P<rgb>\d+[\s,;]+\d+[\s,;]+\d+)[\s,;:]+(?P<name>.*\S)")
_NAME_FIRST = re.compile(r"(?P<name>.*?\S)[\s,;:]+(?P<rgb>\d+[\s,;]+\d+[\s,;]+\d+)")
_HEXADECIMAL = re.compile(r"#[0-9A-Fa-f]{6}\b")  # a colour that is not read, and not a comment
_HEADER = re.compile(r"name[\s,;]+r(ed)?[\s,;]+g(reen)?[\s,;]+b(lue)?", re.IGNORECASE)


@dataclass(frozen=True)
class ColourTable:
    """The class of each colour."""

    classes: tuple[str, ...]
    colours: tuple[tuple[int, int, int], ...]
    labels: tuple[int, ...]
    """Of each colour: the index of its class, or 255."""
    path: str
    """The table's file, for messages."""

    @property
    def palette(self) -> NDArray[np.uint8]:
        """The first colour of each class, (classes, 3)."""
        first = [self.colours[self.labels.index(label)] for label in range(len(self.classes))]
        return np.array(first, dtype=np.uint8)

    def indices(self, rgb: NDArray[np.uint8], path: object) -> NDArray[np.uint8]:
        """Return the class of each pixel.

        Args:
            rgb: (H, W, 3).
            path: the mask, for the message.

        Raises:
            DataError: a colour is not in the table; the file, the colour and its pixels are named.
        """
        order = np.argsort(_packed(np.array(self.colours, dtype=np.uint8)))
        known = _packed(np.array(self.colours, dtype=np.uint8))[order]
        wanted = _packed(rgb)  # (H, W)
        place = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
        strange = known[place] != wanted
        if strange.any():
            colour = tuple(rgb[strange][0].tolist())
            pixels = int((wanted == wanted[strange][0]).sum())
            raise DataError(
                f"{path}: the colour {colour} in {pixels} pixels is not in {self.path}; add it there, or save the mask "
                "without smoothed edges, as PNG"
            )
        indices: NDArray[np.uint8] = np.array(self.labels, dtype=np.uint8)[order][place]
        return indices


def read_colours(path: Path) -> ColourTable:
    """Read a table of colours.

    Raises:
        DataError: the file does not exist, or a line cannot be read; the line is named.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except FileNotFoundError:
        raise DataError(
            f"{path}: no such file; expected a line such as 128 64 128 road for each class"
        ) from None
    except UnicodeDecodeError:
        raise DataError(
            f"{path}: is not a text file (UTF-8); expected lines such as 128 64 128 road"
        ) from None
    classes: list[str] = []
    labels: dict[tuple[int, int, int], int] = {}
    for number, line in enumerate(lines, 1):
        text = line.strip()
        comment = text.startswith("#") and not _HEXADECIMAL.match(text)
        if not text or comment or _HEADER.fullmatch(text):
            continue
        name, colour = _entry(text, f"{path}, line {number}")
        if colour in labels:
            raise DataError(
                f"{path}, line {number}: the colour {colour} was there before; give each colour once"
            )
        if name.casefold() in _NO_LABEL:
            labels[colour] = IGNORE_INDEX
            continue
        if name not in classes:
            classes.append(name)
        labels[colour] = classes.index(name)
    if not 2 <= len(classes) <= IGNORE_INDEX:
        raise DataError(f"{path}: has {len(classes)} classes; expected 2 to {IGNORE_INDEX}, one a line")
    return ColourTable(tuple(classes), tuple(labels), tuple(labels.values()), str(path))


def _entry(text: str, where: str) -> tuple[str, tuple[int, int, int]]:
    for pattern in (_LABELMAP, _COLOUR_FIRST, _NAME_FIRST):
        match = pattern.fullmatch(text)
        if match and match["name"].strip():
            red, green, blue = (int(value) for value in re.findall(r"\d+", match["rgb"]))
            if max(red, green, blue) <= 255:
                return match["name"].strip(), (red, green, blue)
    raise DataError(f"{where}: {text!r}: expected red, green and blue (0 to 255) and a name: 128 64 128 road")


def _packed(colours: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return colours, (…, 3), as one number each."""
    wide = colours.astype(np.int64)
    packed: NDArray[np.int64] = (wide[..., 0] << 16) | (wide[..., 1] << 8) | wide[..., 2]
    return packed
