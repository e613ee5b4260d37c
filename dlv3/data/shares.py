"""The share of each class in the pixels of a data set, and what is wrong where classes do not occur.

Two mistakes train without an error and score well: an object saved as 255, which means "no label", so that only
background is left; and classes saved as grey levels (0, 30, 60), which makes 61 classes of three.
"""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from dlv3.data.errors import DataError
from dlv3.data.palette import IGNORE_INDEX
from dlv3.printed import printable

_SHOWN = 8  # names in a message
_JOINED = "\N{NO-BREAK SPACE}"  # between the words of a name and its share, so that no line ends there


@runtime_checkable
class CountedDataset(Protocol):
    """A data set whose labels are counted: those of files."""

    classes: tuple[str, ...]

    def label_counts(self) -> NDArray[np.int64]:
        """Return the pixels of each value in each picture's mask, (pictures, 256); 255 means no label."""


@dataclass(frozen=True)
class ClassShares:
    """The pixels of each class in some pictures."""

    classes: tuple[str, ...]
    pixels: tuple[int, ...]
    """Of each class."""
    unlabelled: int
    """Pixels without a label, 255 in the masks."""
    pictures: int

    @classmethod
    def of(cls, dataset: CountedDataset) -> "ClassShares":
        """Count a data set's labels.

        Raises:
            DataError: a mask cannot be read, or a label is not a class.
        """
        counts = dataset.label_counts()
        totals = counts.sum(axis=0)
        pixels = tuple(totals[: len(dataset.classes)].tolist())
        return cls(tuple(dataset.classes), pixels, int(totals[IGNORE_INDEX]), len(counts))

    @property
    def shares(self) -> tuple[float, ...]:
        """The share of each class in all pixels, 0 to 1."""
        total = max(self.unlabelled + sum(self.pixels), 1)
        return tuple(pixels / total for pixels in self.pixels)

    @property
    def missing(self) -> tuple[str, ...]:
        """The classes that never occur."""
        return tuple(name for name, pixels in zip(self.classes, self.pixels, strict=True) if not pixels)

    def text(self) -> str:
        """Return the shares as a few lines of text."""
        each = [
            f"{printable(name)} {_percent(share)}".replace(" ", _JOINED)
            for name, share in zip(self.classes, self.shares, strict=True)
        ]
        no_label = self.unlabelled / max(self.unlabelled + sum(self.pixels), 1)
        listed = ", ".join([*each, f"no label {_percent(no_label)}".replace(" ", _JOINED)])
        text = f"pixels of {self.pictures} training pictures: {listed}"
        return textwrap.fill(text, 100, subsequent_indent="  ", break_on_hyphens=False).replace(_JOINED, " ")

    def require_two(self, where: str) -> None:
        """Check that at least two classes occur: otherwise there is nothing to learn, and every score is perfect.

        Raises:
            DataError: fewer occur; says the likely cause.
        """
        occurring = [name for name in self.classes if name not in self.missing]
        if len(occurring) >= 2:
            return
        found = f"only the class {occurring[0]!r} occurs" if occurring else "no class occurs"
        raise DataError(
            f"{where}: {found} in the masks of {self.pictures} training pictures; expected two classes or more. "
            + self._cause()
        )

    def _cause(self) -> str:
        if self.unlabelled and not any(self.pixels[1:]):
            share = _percent(self.unlabelled / (self.unlabelled + sum(self.pixels)))
            return (
                f"{share} of the pixels are 255 or ignored, which means no label: if 255 is a class (masks of 0 and "
                "255), save it as 1"
            )
        return "Save the classes as 0, 1, 2, … (grey levels are not class indices), and check the lists of the splits"

    def warning(self, where: str) -> str | None:
        """Return a line about the classes that never occur; None if all do."""
        if not self.missing:
            return None
        shown = ", ".join(self.missing[:_SHOWN]) + (", …" if len(self.missing) > _SHOWN else "")
        line = f"{where}: {len(self.missing)} of {len(self.classes)} classes occur in no training picture: {shown}"
        if looks_like_grey_levels([label for label, pixels in enumerate(self.pixels) if pixels]):
            line += "; the labels look like grey levels: save classes as 0, 1, 2, …"
        return line


def looks_like_grey_levels(labels: Sequence[int]) -> bool:
    """Tell whether labels are spread so thinly that they are hardly class indices: 0, 30 and 60, or 0 and 128."""
    return len(labels) < (max(labels, default=0) + 1) / 4


def _percent(share: float) -> str:
    """Show a share; one above 0 is never shown as 0."""
    return f"{100 * share:.1f}%" if share >= 0.001 or not share else "<0.1%"
