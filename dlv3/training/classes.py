"""The classes that a training is about to see: reported before it starts, and compared with those it began with."""

import warnings
from pathlib import Path

from dlv3.data import SegmentationDataset
from dlv3.data.named_classes import NamedClasses
from dlv3.data.shares import ClassShares, CountedDataset
from dlv3.printed import say
from dlv3.training.checkpoint import CheckpointError, TrainingState


def report_classes(dataset: SegmentationDataset, name: str, *, show: bool = True) -> None:
    """Print the share of pixels of each class, and check that there is something to learn.

    The classes of pictures that are made in code are known, so these are not counted.

    Args:
        dataset: the training pictures.
        name: the data set's, for the messages.
        show: whether to print and warn; the check is made in any case.

    Raises:
        DataError: a mask cannot be read, a label is not a class, or fewer than two classes occur.
    """
    counted = getattr(dataset, "dataset", dataset)
    if not (isinstance(dataset, CountedDataset) and isinstance(counted, CountedDataset)):
        return
    shares = ClassShares.of(dataset)
    shares.require_two(name)
    if not show:
        return
    say(*shares.text().split("\n"), error=True)
    line = shares.warning(name)
    if line is not None:
        warnings.warn(line, stacklevel=2)


def keep_classes(dataset: SegmentationDataset, state: TrainingState, name: str, path: Path) -> None:
    """Note the data's classes in a training's state. Where the training resumes, they have to be those it began with.

    Args:
        dataset: the training pictures.
        state: changed in place.
        name: the data set's, for the messages.
        path: the checkpoint's file, for the messages.

    Raises:
        CheckpointError: the classes that the checkpoint holds cannot be.
        ValueError: a class has another name or place by now, or the colour of another one.
    """
    now = NamedClasses.of(dataset)
    if state.classes:
        try:
            before = NamedClasses(tuple(state.classes), tuple(state.colours))
        except ValueError as error:
            raise CheckpointError(f"{path}: classes: {error}") from error
        before.require_unchanged(now, name)
    state.classes, state.colours = list(now.names), list(now.colours)
