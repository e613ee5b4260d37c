"""The names and colours of a data set's classes, as text that travels in a model's file of weights.

So a prediction has the colours of the masks that the model was trained with, wherever its data set is by then.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from dlv3.data import SegmentationDataset
from dlv3.data.palette import voc_palette
from dlv3.typed_json import build, parse_object

CLASSES_KEY = "dlv3.classes"
"""The text's name in the file."""


@dataclass(frozen=True)
class NamedClasses:
    """The classes in the order of their indices."""

    names: tuple[str, ...]
    colours: tuple[tuple[int, int, int], ...]
    """Red, green and blue of each class, 0 to 255."""

    def __post_init__(self) -> None:
        if len(self.names) != len(self.colours):
            raise ValueError(
                f"{len(self.names)} names and {len(self.colours)} colours; expected one of each a class"
            )
        strange = [colour for colour in self.colours if not all(0 <= value <= 255 for value in colour)]
        if strange:
            raise ValueError(f"colour {strange[0]}: expected red, green and blue from 0 to 255")

    @classmethod
    def of(cls, dataset: SegmentationDataset) -> "NamedClasses":
        """Return the classes of a data set; in VOC's colours if its palette, of a user's own making, has too few."""
        palette, count = np.asarray(getattr(dataset, "palette", ())), len(dataset.classes)
        rows = palette[:count] if len(palette) >= count else voc_palette(count)
        colours = [(int(red), int(green), int(blue)) for red, green, blue in rows]
        return cls(tuple(dataset.classes), tuple(colours))

    @property
    def palette(self) -> NDArray[np.uint8]:
        """The colours as an array, (num_classes, 3)."""
        return np.array(self.colours, dtype=np.uint8).reshape(-1, 3)

    def require_places(self, names: Sequence[str], source: str) -> None:
        """Check that names which a model was trained with are at the same indices in other data.

        Args:
            names: the other data's, in the order of their indices.
            source: the other data, for the message.

        Raises:
            ValueError: one is elsewhere, so that labels of one class would be compared with predictions of another.
        """
        there = {name: index for index, name in enumerate(names)}
        for index, name in enumerate(self.names):
            if there.get(name, index) != index:
                raise ValueError(
                    f"{source}: the class {name!r} has index {there[name]} there, and {index} in the data that the "
                    "model was trained on; give the classes in that order"
                )

    def require_unchanged(self, now: "NamedClasses", source: str) -> None:
        """Check that a class still has the name and the place that it had when a training began.

        Classes without names, "class 3", may be given some, and a class may be shown in a new colour.

        Args:
            now: the classes that the data has now.
            source: the data, for the message.

        Raises:
            ValueError: a class was moved, replaced or renamed, or has the colour that was another one's, so that the
                labels no longer mean what they did.
        """
        advice = "give the classes as they were, or start a new run with training.initial_weights"
        for index, (old, new) in enumerate(zip(self.names, now.names, strict=False)):
            if old != new and f"class {index}" not in (old, new):
                raise ValueError(
                    f"{source}: class {index} was {old!r} when the run began, and is {new!r} now; {advice}"
                )
        for index, colour in enumerate(now.colours[: len(self.colours)]):
            if colour != self.colours[index] and colour in self.colours:
                before = self.names[self.colours.index(colour)]
                raise ValueError(
                    f"{source}: the colour {colour} was that of {before!r} when the run began, and is that of "
                    f"{now.names[index]!r} now; {advice}"
                )

    def to_metadata(self) -> dict[str, str]:
        """Return the text to keep, for `dlv3.weights.save`."""
        return {CLASSES_KEY: json.dumps(asdict(self))}

    @classmethod
    def from_metadata(cls, metadata: dict[str, str], num_classes: int) -> "NamedClasses | None":
        """Read the text that `to_metadata` made; None where the file has none.

        Raises:
            ValueError: it was changed since, or is of another number of classes.
        """
        if CLASSES_KEY not in metadata:
            return None
        found = build(cls, parse_object(metadata[CLASSES_KEY]), "classes")
        if len(found.names) != num_classes:
            raise ValueError(f"names of {len(found.names)} classes, for a model of {num_classes}")
        return found
