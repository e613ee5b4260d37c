"""What lesson 03's figures and sentences say of samples, rates and prices, and that its open task can be done."""

import pytest
import torch
from torch import nn
from torchvision import models

from dlv3 import resnet
from dlv3.course import OutputStrideLadder
from dlv3.course.kit.sampled_labels import upsampled_truth
from dlv3.course.lessons.lesson03_output_stride import checks_rates, figures
from dlv3.data.made.scenes import Scenes
from dlv3.evaluation import ConfusionMatrix


@pytest.fixture(scope="module")
def scores():
    """mIOU in % of the true labels, sampled and stretched, by align_corners and stride."""
    scenes = Scenes("val", scene_cue=False, pictures=100)
    masks = torch.stack([scenes[i][1].long() for i in range(len(scenes))])

    def score(stride: int, align_corners: bool) -> float:
        matrix = ConfusionMatrix(num_classes=7)
        matrix.update(upsampled_truth(masks, stride, 7, align_corners=align_corners), masks)
        return 100 * matrix.miou()

    cases = [(True, stride) for stride in (2, 4, 8, 16, 32, 64)] + [(False, s) for s in (8, 16, 32)]
    return {(align, stride): score(stride, align) for align, stride in cases}


def test_truth_falls_with_the_paper_from_17_samples_down(scores):
    ours = [scores[True, stride] for stride in (2, 4, 8, 16, 32, 64)]
    assert ours == sorted(ours, reverse=True)
    paper = list(figures.TABLE_1.values())
    assert all(abs(a - b) < 5 for a, b in list(zip(ours, paper, strict=True))[2:])
    assert [round(ours[0]), round(paper[0])] == [92, 75]
    assert round(paper[0] - paper[-1]) == 55


def test_both_tables_run_from_65_samples_to_3():
    paper = [figures.samples(figures.PAPER_SIDE, stride) for stride in figures.TABLE_1]
    assert paper == [figures.samples(figures.OUR_SIDE, stride) for stride in (2, 4, 8, 16, 32, 64)]
    assert paper == [65, 33, 17, 9, 5, 3]


def test_corners_not_aligned_cost_4_to_5_points(scores):
    for stride in (8, 16, 32):
        assert 3.5 < scores[True, stride] - scores[False, stride] < 5.5


def test_wires_are_4_to_6_and_a_half_pixels_wide():
    scenes = Scenes("val", scene_cue=False, pictures=100)
    widths = [wire.width / 64 for i in range(len(scenes)) for wire in scenes.layout(i).wires]
    assert 4 <= min(widths) < max(widths) <= 6.5


def test_price_rises_by_two_thirds_and_triples_and_stride_4_costs_20_times():
    rungs = {stride: OutputStrideLadder(output_stride=stride).rungs for stride in (32, 16, 8, 4)}
    adds = {stride: sum(rung.multiply_adds for rung in each) for stride, each in rungs.items()}
    maps = {stride: sum(rung.values for rung in each) for stride, each in rungs.items()}
    assert 1.6 < adds[16] / adds[32] < 1.7
    assert 3 < adds[8] / adds[16] < 3.3
    assert 20 <= adds[4] / adds[32] < 21
    assert 8.5 < maps[4] / maps[32] < 9.5


def test_base_rates_are_the_papers_two_rows():
    assert [resnet.base_rate(block, 16) for block in range(3, 8)] == [1, 2, 4, 8, 16]  # Fig. 3b
    assert [resnet.base_rate(block, 8) for block in (3, 4)] == [2, 4]  # section 4


def test_loop_and_division_agree_in_the_papers_layout():
    strides = (
        [2, 2] + [1] * 2 + [2] + [1] * 3 + [2] + [1] * 5 + [2] + [1] * 3
    )  # stem, then a 3×3 for each unit
    ends = {1: 4, 2: 8, 3: 14, 4: 17}
    for output_stride in (4, 8, 16, 32):
        rates = [rate for _, rate in checks_rates.strides_into_rates(tuple(strides), output_stride)]
        assert {block: rates[end] for block, end in ends.items()} == {
            block: resnet.base_rate(block, output_stride) for block in ends
        }


def test_open_task_can_be_done_with_the_loop():
    torch.manual_seed(0)
    network = nn.Sequential(*list(models.resnet18().children())[:-2]).eval()
    with pytest.raises(NotImplementedError):
        models.resnet18(replace_stride_with_dilation=[False, True, True])
    picture = torch.randn(1, 3, 97, 97)
    with torch.no_grad():
        coarse = network(picture)
        units = [unit for block in network[4:] for unit in block]
        path = [network[0], network[3], *(conv for unit in units for conv in (unit.conv1, unit.conv2))]
        strides = tuple(torch.tensor(layer.stride).max().item() for layer in path)
        pairs = checks_rates.strides_into_rates(strides, 8)
        for layer, (stride, rate) in list(zip(path, pairs, strict=True))[2:]:
            layer.stride, layer.dilation, layer.padding = (stride,) * 2, (rate,) * 2, (rate,) * 2
        for unit in units:
            if unit.downsample is not None:
                unit.downsample[0].stride = unit.conv1.stride
        dense = network(picture)
    assert dense.shape[-1] == 13
    torch.testing.assert_close(dense[:, :, ::4, ::4], coarse, rtol=1e-4, atol=1e-4)
