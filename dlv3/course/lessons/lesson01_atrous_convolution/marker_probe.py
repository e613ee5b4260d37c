"""The marker probe's pictures, the training of a small network on them, and its score."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dlv3.data.made.markers import Markers

UNLABELLED = 255


class MarkerProbe:
    """Pictures of discs whose class is the colour of a marker at a known distance, to learn from and to be scored on.

    Args:
        distance: from a disc to its marker, in pixels.
        pictures: to learn from.
        unseen: pictures for the score.
    """

    def __init__(self, distance: int = 48, *, pictures: int = 400, unseen: int = 100) -> None:
        self.distance = distance
        self.lessons = Markers("one", "train", distance=distance, pictures=pictures)
        self.images, self.labels = _tensors(self.lessons)
        self.unseen = _tensors(Markers("one", "val", distance=distance, pictures=unseen))

    @torch.no_grad()
    def score(self, net: nn.Module) -> float:
        """Return the share of the unseen pictures' disc pixels whose colour is right, in %."""
        images, labels = self.unseen
        guesses = net.eval()(images).argmax(1)  # (N, 33, 33)
        known = labels != UNLABELLED
        right: Tensor = (guesses == labels)[known]
        return 100 * right.float().mean().item()

    def train(
        self, make: Callable[[int], nn.Module], rate: int, *, updates: int = 50, batch: int = 8, seed: int = 0
    ) -> float:
        """Train the network `make(rate)` and return its score.

        Args:
            make: takes the rate and returns a network whose map is a quarter of the pictures' size.
            rate: of its atrous layer.
            updates: of its weights; with 50 of 8 pictures, each of the 400 is seen once.
            batch: pictures in each update.
            seed: of the first weights and of the order.
        """
        torch.manual_seed(seed)
        net = make(rate).to(memory_format=torch.channels_last)
        optimizer = torch.optim.Adam(net.parameters(), lr=4e-3)
        # A slow start, and a fall to zero.
        schedule = torch.optim.lr_scheduler.LambdaLR(
            optimizer, lambda step: min(1, (step + 1) / 20) * (1 - step / updates) ** 0.9
        )
        for chosen in (torch.randperm(updates * batch) % len(self.images)).split(batch):
            logits = net(self.images[chosen])  # (batch, 4, 33, 33)
            loss = F.cross_entropy(logits, self.labels[chosen], ignore_index=UNLABELLED)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
        return self.score(net)


def _tensors(dataset: Markers) -> tuple[Tensor, Tensor]:
    """Return pictures (N, 3, 129, 129) around 0, and the labels of every fourth pixel, (N, 33, 33)."""
    images, masks = zip(*(dataset[i] for i in range(len(dataset))), strict=True)
    centred = torch.stack(images) / 64 - 2
    # Quicker on CPUs.
    return centred.contiguous(memory_format=torch.channels_last), torch.stack(masks)[:, ::4, ::4].long()
