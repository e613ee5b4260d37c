"""The classes in a mask, and the check of their range."""

import pytest
import torch

from dlv3.data.errors import DataError
from dlv3.data.labels import checked_labels, labels_in


def test_labels_are_those_that_occur_without_255():
    mask = torch.tensor([[0, 3, 255], [3, 254, 0]], dtype=torch.uint8)
    assert labels_in(mask) == {0, 3, 254}
    assert labels_in(torch.full((2, 2), 255, dtype=torch.uint8)) == frozenset()


def test_label_out_of_range_is_named_with_its_file_and_pixels():
    mask = torch.tensor([[0, 3, 255], [3, 1, 0]], dtype=torch.uint8)
    assert checked_labels(mask, 4, "a.png") == {0, 1, 3}
    with pytest.raises(
        DataError, match=r"^a\.png: label 3 in 2 pixels; the 3 classes are 0 to 2.*raise num_classes$"
    ):
        checked_labels(mask, 3, "a.png")
