"""Pictures of one size kept in memory: made scenes are drawn once for many trainings."""

import torch
from torch import Tensor
from torch.utils.data import Dataset
from torchvision import tv_tensors

from dlv3.data import SegmentationDataset
from dlv3.data.labels import labels_in


class Held(Dataset[tuple[tv_tensors.Image, tv_tensors.Mask]]):
    """A data set whose pictures are all read once and kept, as two tensors that forked workers share.

    Args:
        dataset: any data set of `dlv3.data` whose pictures have one size.

    Raises:
        RuntimeError: the pictures' sizes differ.
    """

    def __init__(self, dataset: SegmentationDataset) -> None:
        self.dataset = dataset
        self.classes, self.num_classes, self.palette = dataset.classes, dataset.num_classes, dataset.palette
        pairs = [dataset[index] for index in range(len(dataset))]
        self.images = torch.stack([image.as_subclass(Tensor) for image, _ in pairs])  # (n, 3, H, W) uint8
        self.masks = torch.stack([mask.as_subclass(Tensor) for _, mask in pairs])  # (n, H, W) uint8

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[tv_tensors.Image, tv_tensors.Mask]:
        return tv_tensors.Image(self.images[index]), tv_tensors.Mask(self.masks[index])

    def name(self, index: int) -> str:
        """Return the picture's name."""
        return self.dataset.name(index)

    def classes_in(self, index: int) -> frozenset[int]:
        """Return the classes that occur in a picture, without 255."""
        return labels_in(self.masks[index])
