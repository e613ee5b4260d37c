"""The classes that a training is about to see, reported before it starts."""

import warnings

from dlv3.data import SegmentationDataset
from dlv3.data.shares import ClassShares, CountedDataset
from dlv3.printed import say


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
