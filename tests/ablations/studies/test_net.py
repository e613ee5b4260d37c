"""The head's two ways of running agree, and it learns and is scored."""

import pytest
import torch
from torch import nn

from dlv3.ablations.studies.features import Features
from dlv3.ablations.studies.net import StudyConfig, StudyHead, score_head, train_head


def made(maps: torch.Tensor, masks: torch.Tensor, sizes: torch.Tensor, classes: int) -> Features:
    return Features(maps, maps.float().mean((1, 2)), masks, sizes, tuple("abcdefgh"[:classes]), {})


@pytest.mark.parametrize(
    ("rates", "pooling"), [((1,), False), ((2, 4, 8), True), ((9,), False), ((40,), True)]
)
def test_positions_read_alone_give_what_the_whole_map_gives(rates, pooling):
    torch.manual_seed(0)
    head = StudyHead(StudyConfig(rates=rates, image_pooling=pooling), 5, 7).eval()
    maps, pooled = torch.randn(2, 9, 9, 5), torch.randn(2, 5)
    places = torch.cartesian_prod(torch.arange(2), torch.arange(9), torch.arange(9))
    whole = head(maps, pooled).permute(0, 2, 3, 1).reshape(-1, 7)
    torch.testing.assert_close(head.at(maps, pooled, places), whole)


@pytest.mark.parametrize(("rate", "least", "most"), [(2, 95, 100), (1, 0, 60)])
def test_a_head_learns_what_its_taps_meet_and_nothing_else(rate, least, most):
    generator = torch.Generator().manual_seed(0)
    classes = torch.randint(3, (60, 17, 17), generator=generator)
    maps = nn.functional.one_hot(classes, 3).half()
    masks = classes.roll(2, dims=1).to(torch.uint8)  # the class lies two rows above
    masks[:, :2] = 0
    data = made(maps, masks, torch.zeros_like(masks), 3)
    config = StudyConfig(rates=(rate,), iterations=150, positions=256)
    counts, _ = score_head(train_head(config, data), data)
    assert least <= 100 * counts.pixel_accuracy() <= most


def test_scores_count_whole_pictures_and_the_shapes_of_each_size():
    generator = torch.Generator().manual_seed(0)
    masks, sizes = (torch.randint(3, (60, 9, 9), generator=generator) for _ in range(2))
    answers = torch.randint(3, (60, 9, 9), generator=generator)

    class Answers(nn.Module):
        def forward(self, maps: torch.Tensor, pooled: torch.Tensor) -> torch.Tensor:
            return maps.permute(0, 3, 1, 2)

    maps = nn.functional.one_hot(answers, 3).half()
    counts, groups = score_head(Answers(), made(maps, masks.byte(), sizes.byte(), 3))
    right = answers == masks
    assert counts.pixel_accuracy() == pytest.approx(right.float().mean().item())
    for number, name in enumerate(("small", "medium", "large")):
        assert groups[name] == pytest.approx(right[sizes == number].float().mean().item())


def test_the_same_seed_gives_the_same_head():
    maps = torch.rand(4, 9, 9, 3).half()
    data = made(maps, torch.randint(3, (4, 9, 9)).byte(), torch.zeros(4, 9, 9).byte(), 3)
    first, again, other = (
        train_head(StudyConfig(iterations=3, positions=16, seed=seed), data) for seed in (0, 0, 1)
    )
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), again.parameters(), strict=True))
    assert not torch.equal(first.branches[0].weight, other.branches[0].weight)
