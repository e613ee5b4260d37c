"""The expected scores follow from what the networks see, and that is measured here by gradients."""

import pytest
import torch
from torch.nn import functional as F

from dlv3.ablations import PROBES
from dlv3.ablations.probes.expectation import MAP_SIDE, ground_score, reached, score, stack_score
from dlv3.ablations.probes.net import ProbeConfig, ProbeNet
from dlv3.atrous import AtrousConv2d
from dlv3.data.made.cells import CELL, SIDE
from dlv3.data.made.ground import GREY_REACH, Ground
from dlv3.data.made.markers import DISC_RADIUS, SIZE

STACKS = sorted({row.setting.stack for name in ("P5", "P7") for row in PROBES[name].rows})


def influence(config: ProbeConfig, side: int, row: int, column: int) -> torch.Tensor:
    """Which pixels (side, side) have a say in the logits of one, with weights of which none cancels another."""
    net = ProbeNet(config, 4).eval()
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.abs_()
    images = torch.rand(1, 3, side, side, requires_grad=True)
    net(images)[0, :, row, column].sum().backward()
    return images.grad[0].sum(dim=0) > 0


@pytest.mark.parametrize("stack", STACKS)
def test_offsets_that_a_stack_sees_are_those_from_which_its_output_has_a_gradient(stack):
    centre = SIDE // 2 * CELL
    by_cell = F.max_pool2d(
        influence(ProbeConfig("cells:near", stack=stack), SIDE * CELL, centre, centre)[None].float(), CELL
    )
    seen = {tuple(offset) for offset in (by_cell[0].nonzero() - SIDE // 2).tolist()}
    along = [offset for offset in reached(stack) if 0 <= SIDE // 2 + offset < SIDE]
    assert seen == {(y, x) for y in along for x in along}


def test_expected_scores_of_stacks():
    def near(*stack: int) -> float:
        return stack_score(ProbeConfig("cells:near", stack=stack))

    # Of 168 offsets, all as likely: 48 seen by (1, 1, 1) and by (2, 2, 2), 80 by (1, 2, 1). Markers that would
    # leave the picture are drawn again, so that near offsets are likelier.
    assert near(1, 2, 3) == near(1, 2, 4) == 100
    assert score(48 / 168) < near(1, 1, 1) < score(48 / 168) + 5
    assert near(2, 2, 2) == pytest.approx(score(48 / 168), abs=2)
    assert score(80 / 168) < near(1, 2, 1) < score(80 / 168) + 6
    far = {row.name: stack_score(row.setting) for row in PROBES["P7"].rows}
    assert [name for name, expected in far.items() if expected == 100] == ["(4, 4, 4, 4)", "(1, 2, 4, 8)"]
    assert set(far.values()) == {25, 100}


@pytest.mark.parametrize("rate", [16, 20, 24, 28, 33])
def test_expected_score_on_the_ground_is_the_share_of_disc_pixels_with_an_outer_weight_on_the_map(rate):
    layer = AtrousConv2d(1, 1, 3, rate=rate)
    with torch.no_grad():
        layer.weight.fill_(1)
        layer.weight[:, :, 1, 1] = 0
        valid = layer(torch.ones(1, 1, MAP_SIDE, MAP_SIDE)) > 0
    on_pixels = F.interpolate(valid.float(), size=(SIZE, SIZE), mode="nearest-exact")[0, 0]
    ground = Ground("test")
    labelled = [on_pixels[ground[index][1] != 255] for index in range(len(ground))]
    share = float(torch.cat(labelled).mean())
    assert ground_score(ProbeConfig("ground", rates=(rate,))) == pytest.approx(score(share))
    assert (share == 0) == (rate >= MAP_SIDE)


def test_rate_1_does_not_see_past_the_grey_and_rate_16_does():
    for rate in (1, 16):
        seen = influence(ProbeConfig("ground", rates=(rate,)), SIZE, 64, 64).nonzero() - 64
        assert (int(seen.abs().max()) + DISC_RADIUS <= GREY_REACH) == (rate == 1)
