"""The studies' head on frozen features, its training and its scores.

The head is what the paper puts on a backbone: one 3×3 atrous layer, or ASPP's parallel ones, optionally with
image-level features, then a classifier for each position. Training reads random positions of all pictures instead of
whole maps: neighbours on a map are nearly alike, so a few hundred positions from as many pictures say more for less
arithmetic. The weights are those of convolutions, and scoring runs them as convolutions, on whole pictures.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dlv3.ablations.small_nets import CHANNELS, shared_widths, train_by_adam
from dlv3.ablations.studies.features import SIZE_GROUPS, Features
from dlv3.atrous import AtrousConv2d
from dlv3.evaluation import ConfusionMatrix

TAPS = torch.tensor([-1, 0, 1])


@dataclass(frozen=True)
class StudyConfig:
    """One row of a study: the features, the head that reads them, and its training."""

    blocks: int = 1
    """Of the frozen backbone, 1 to 4: a deeper one has a larger field of view of its own."""
    output_stride: int = 4
    """Of the backbone; 4 on 129 pixels is a map of 33×33, the size of the paper's."""
    rates: tuple[int, ...] = (1,)
    """Of parallel 3×3 branches (section 3.3). They share 64 channels, so that their number changes no parameter
    count."""
    image_pooling: bool = False
    """Whether 64 channels of image-level features stand beside them (section 3.3)."""
    scene_cue: bool = False
    """Whether a strip at the picture's side tells two classes of disc apart."""
    size: int = 129
    """Side of the pictures."""
    pictures: int = 1000
    """How many pictures to train on."""
    iterations: int = 600
    positions: int = 1024
    """In a batch."""
    learning_rate: float = 1e-2
    """Adam's; poly 0.9 after 20 iterations of warm-up."""
    seed: int = 0


class StudyHead(nn.Module):
    """Parallel branches, optional image pooling, and two 1×1 layers, on maps with channels last."""

    def __init__(self, config: StudyConfig, in_channels: int, num_classes: int) -> None:
        super().__init__()
        widths = shared_widths(len(config.rates))
        branches = [
            AtrousConv2d(in_channels, w, rate=rate) for w, rate in zip(widths, config.rates, strict=True)
        ]
        self.branches = cast("Sequence[AtrousConv2d]", nn.ModuleList(branches))
        self.pooling = nn.Linear(in_channels, CHANNELS, bias=False) if config.image_pooling else None
        channels = CHANNELS * (1 + config.image_pooling)
        self.classifier = nn.Sequential(
            nn.BatchNorm1d(channels), nn.ReLU(inplace=True), nn.Linear(channels, CHANNELS, bias=False),
            nn.BatchNorm1d(CHANNELS), nn.ReLU(inplace=True), nn.Linear(CHANNELS, num_classes),
        )  # fmt: skip

    def forward(self, maps: Tensor, pooled: Tensor) -> Tensor:
        """Return the logits (N, classes, h, w) of maps (N, h, w, C) and their means (N, C)."""
        N, h, w, _ = maps.shape
        x = maps.permute(0, 3, 1, 2)
        parts = [branch(x).permute(0, 2, 3, 1).reshape(N * h * w, -1) for branch in self.branches]
        if self.pooling is not None:
            parts.append(self.pooling(pooled).repeat_interleave(h * w, dim=0))
        logits: Tensor = self.classifier(torch.cat(parts, dim=1))  # (N * h * w, classes)
        return logits.view(N, h, w, -1).permute(0, 3, 1, 2)

    def at(self, maps: Tensor, pooled: Tensor, places: Tensor) -> Tensor:
        """Return the logits at some positions only.

        Args:
            maps: (N, h, w, C), of any floating type.
            pooled: (N, C).
            places: (P, 3) picture, row and column.

        Returns:
            (P, classes).
        """
        parts = [_read(maps, places, branch.rate) @ _as_matrix(branch.weight) for branch in self.branches]
        if self.pooling is not None:
            parts.append(self.pooling(pooled[places[:, 0]]))
        logits: Tensor = self.classifier(torch.cat(parts, dim=1))
        return logits


def _read(maps: Tensor, places: Tensor, rate: int) -> Tensor:
    """Return what a 3×3 filter reads at positions (P, 3): (P, 9 * C), zero where a weight lies off the map."""
    _, h, w, C = maps.shape
    rows, columns = places[:, 1, None] + rate * TAPS, places[:, 2, None] + rate * TAPS  # (P, 3) each
    inside = ((rows >= 0) & (rows < h))[:, :, None] & ((columns >= 0) & (columns < w))[:, None, :]
    rows, columns = rows.clamp(0, h - 1), columns.clamp(0, w - 1)
    at = (places[:, :1, None] * h + rows[:, :, None]) * w + columns[:, None, :]  # (P, 3, 3)
    read = maps.view(-1, C)[at.flatten()].float().view(len(places), 9, C)
    return (read * inside.view(-1, 9, 1)).flatten(1)


def _as_matrix(weight: Tensor) -> Tensor:
    """Return a filter's weights (out, in, 3, 3) as a matrix (9 * in, out), in the order of `_read`."""
    return weight.permute(2, 3, 1, 0).reshape(-1, len(weight))


def train_head(config: StudyConfig, data: Features) -> StudyHead:
    """Train a study's head. The same seed gives the same head on the same machine. Returns it in evaluation mode."""
    stride = (data.masks.shape[1] - 1) // (data.maps.shape[1] - 1)
    # Position i of a map is centred on pixel i * stride.
    labels = data.masks[:, ::stride, ::stride]  # (N, h, w)
    bounds = torch.tensor(data.maps.shape[:3])
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        head = StudyHead(config, data.maps.shape[3], len(data.classes))

        def loss() -> Tensor:
            places = (torch.rand(config.positions, 3) * bounds).long()
            logits = head.at(data.maps, data.pooled, places)
            return F.cross_entropy(logits, labels[places.unbind(1)].long())

        train_by_adam(head, config.iterations, config.learning_rate, loss)
    return head.eval()


@torch.inference_mode()
def score_head(head: StudyHead, data: Features) -> tuple[ConfusionMatrix, dict[str, float]]:
    """Return the counts of a head's answers on whole pictures, and the shares of each size group's pixels found."""
    counts = ConfusionMatrix(len(data.classes))
    found = torch.zeros(len(SIZE_GROUPS), 2)
    for maps, pooled, masks, sizes in zip(
        *(part.split(50) for part in (data.maps, data.pooled, data.masks, data.sizes)), strict=True
    ):
        logits = head(maps.float(), pooled)
        # The positions lie on pixels 0, stride, … up to the last one: the corners are aligned.
        answers = F.interpolate(logits, masks.shape[1:], mode="bilinear", align_corners=True).argmax(1)
        counts.update(answers, masks)
        for group in range(len(SIZE_GROUPS)):
            of_group = sizes == group
            found[group] += torch.stack([(answers == masks)[of_group].sum(), of_group.sum()])
    shares = (found[:, 0] / found[:, 1]).tolist()
    return counts, dict(zip(SIZE_GROUPS, shares, strict=True))
