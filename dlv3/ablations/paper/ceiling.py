"""The score that sampling allows: true labels on a feature map's grid, upsampled to the picture again (§4.1).

A network that names every sample of its map rightly still loses what lies between the samples. The ceiling of a table's
row is the mIOU of such a network, by the same upsampling as `dlv3.deeplab.upsample`.
"""

from torch import Tensor
from torch.nn import functional as F

from dlv3.data import SegmentationDataset
from dlv3.deeplab import upsample
from dlv3.evaluation import ConfusionMatrix

CEILING = "ceiling from sampling"
"""The score's name in a record, and at the head of its column."""


def sampling_ceiling(dataset: SegmentationDataset, output_stride: int) -> float:
    """Return the mIOU, from 0 to 1, of true labels sampled at an output stride.

    Args:
        dataset: its pictures' labels are read, 255 counts as the first class on the map.
        output_stride: pixels between neighbouring samples of the map.
    """
    counts = ConfusionMatrix(dataset.num_classes)
    for index in range(len(dataset)):
        labels = dataset[index][1].as_subclass(Tensor).long()[None]  # (1, H, W)
        predicted = upsample(sampled_scores(labels, output_stride, dataset.num_classes), labels.shape[1:])
        counts.update(predicted, labels)
    return counts.miou()


def sampled_scores(labels: Tensor, output_stride: int, num_classes: int) -> Tensor:
    """Return one-hot scores of the labels at the places where upsampling puts the map's samples.

    Args:
        labels: (N, H, W) int64; 255 counts as class 0.
        output_stride: pixels between neighbouring samples.
        num_classes: classes.

    Returns:
        (N, num_classes, ceil(H / output_stride), ceil(W / output_stride)) float32.
    """
    labels = labels.where(labels < num_classes, 0)
    size = [-(-side // output_stride) for side in labels.shape[1:]]
    # Half-pixel centres, as bilinear upsampling with align_corners=False has them.
    sampled = F.interpolate(labels[:, None].float(), size=size, mode="nearest-exact")[:, 0].long()
    return F.one_hot(sampled, num_classes).permute(0, 3, 1, 2).float()
