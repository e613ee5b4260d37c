"""`dlv3 data check`: its arguments and what it does."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from dlv3.cli.errors import FAILED
from dlv3.cli.parsing import parse
from dlv3.config.data import Bits, DataConfig, Labels, MaskValues
from dlv3.data.photos.check import CheckedSplit, FolderCheck, check_folder
from dlv3.printed import printable, say
from dlv3.ranges import Several

_SHOWN = 50  # lines of problems, and of notes


@dataclass(frozen=True)
class CheckArguments:
    """Open every picture and mask of a folder, and say what does not fit.

    Looks for files that cannot be read, sizes and labels that do not fit, classes that never occur, pictures that are
    there twice, and pictures that are in two splits, as neighbouring frames of a video often are. Prints a table and a
    line for each problem. The exit status is 0 if there is none, 1 if there is one, and 2 for a folder that cannot be
    used at all.
    """

    folder: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="DIR")]
    """The folder, as in --data folder:DIR."""
    ignore: MaskValues = ()
    """Mask values that are not labels. This option and those below are those of a training."""
    num_classes: Labels | None = None
    """Number of classes; left out, one more than the highest label."""
    colours: str | None = None
    """A table of the masks' colours; left out, DIR/colours.txt, DIR/labelmap.txt or DIR/class_dict.csv."""
    train_images: str | None = None
    """The training photos, if they are not in DIR/images."""
    train_masks: str | None = None
    """Their masks."""
    val_images: str | None = None
    """The validation photos."""
    val_masks: str | None = None
    """Their masks."""
    image_bits: Bits = 16
    """Bits that the values of 16-bit grey pictures use."""
    in_channels: Several = 3
    """Channels of the pictures, as in --model.in-channels: 3 for colour, 1 for grey, more for multispectral ones."""


def main(argv: Sequence[str]) -> int:
    """Run `dlv3 data check`. Returns the exit status."""
    arguments = parse(CheckArguments, argv, "dlv3 data check")
    own = ("folder", "in_channels")
    options = {name: value for name, value in vars(arguments).items() if name not in own}
    found = check_folder(arguments.folder, DataConfig(**options), arguments.in_channels)
    say(*_table(found))
    for title, lines in (("to mend", found.problems), ("to know", found.notes)):
        if lines:
            more = [f"  … and {len(lines) - _SHOWN} more"] if len(lines) > _SHOWN else []
            say("", f"{title}:", *(f"  {line}" for line in lines[:_SHOWN]), *more)
    pictures = sum(split.pictures for split in found.splits)
    say("", f"{pictures} pictures, {len(found.problems)} problems")
    return FAILED if found.problems else 0


def _table(found: FolderCheck) -> list[str]:
    """Return a line for each split, then one for each class with its share of the split's pixels."""
    splits = found.splits
    lines = [f"{'split':<6} {'pictures':>8}  sizes (width×height)"]
    lines += [f"{split.name:<6} {split.pictures:>8}  {_sizes(split)}" for split in splits]
    names = [*(printable(name) for name in splits[0].shares.classes), "no label"]
    width = max(map(len, names))
    lines += ["", "pixels %".ljust(width) + "".join(f"{split.name:>9}" for split in splits)]
    columns = [_percentages(split) for split in splits]
    for row, name in enumerate(names):
        lines.append(name.ljust(width) + "".join(f"{column[row]:>9.2f}" for column in columns))
    return lines


def _percentages(split: CheckedSplit) -> list[float]:
    shares = split.shares
    total = max(shares.unlabelled + sum(shares.pixels), 1)
    return [100 * pixels / total for pixels in (*shares.pixels, shares.unlabelled)]


def _sizes(split: CheckedSplit) -> str:
    shown = ", ".join(f"{width}×{height} ({count})" for (height, width), count in split.sizes[:3])
    others = len(split.sizes) - 3
    return shown + (f" and {others} other sizes" if others > 0 else "")
