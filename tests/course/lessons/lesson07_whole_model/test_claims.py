"""The numbers in lesson 07's text, but for those that its cells print."""

import pytest
import torch
from torch import nn

from dlv3.ablations import TABLES
from dlv3.course import PriceExplorer
from dlv3.course.lessons.lesson07_whole_model import figures, whole_model
from dlv3.deeplab import DeepLabV3, DeepLabV3Config, aspp_rates_at


def parts(**state):
    return {part.name: part for part in PriceExplorer(**state).parts}


def total(state, field):
    return sum(getattr(part, field) for part in parts(**state).values())


def test_three_bills_three_places():
    found = parts()
    whole = {field: total({}, field) for field in ("parameters", "multiply_adds", "values")}
    aspp = {field: sum(getattr(found[name], field) for name in ("1×1", "atrous 3×3", "pooling", "projection"))
            for field in whole}  # fmt: skip
    assert round(whole["parameters"] / 1e6) == 39
    assert max(found, key=lambda name: found[name].values) == "block1"
    at_8 = parts(output_stride=8)
    assert max(at_8, key=lambda name: at_8[name].values) == "block4"
    assert round(100 * found["block1"].parameters / whole["parameters"], 1) == 0.6
    assert aspp["values"] < 0.05 * whole["values"]
    assert aspp["multiply_adds"] > 0.3 * whole["multiply_adds"]
    assert round(total({"output_stride": 8}, "multiply_adds") / whole["multiply_adds"], 1) == 3.4
    assert round(total({"output_stride": 8}, "values") / whole["values"], 1) == 2.2
    assert total({"output_stride": 8}, "parameters") == whole["parameters"]


def test_aspps_branches_weigh_what_block4_weighs():
    unit, conv = whole_model.Bottleneck(2048, 512), 9 * 2048 * 256
    inside = sum(m.weight.numel() for m in unit.modules() if isinstance(m, nn.Conv2d))
    first = 1024 * 512 + 9 * 512**2 + 512 * 2048
    assert (round(3 * conv / 1e6, 1), round((first + 2 * inside) / 1e6, 1)) == (14.2, 12.8)
    assert round((conv + 512) / 1e6, 1) == 4.7


def test_answers_of_the_explorer():
    found = parts()
    share = found["pooling"].multiply_adds / total({}, "multiply_adds")
    assert 5e5 < found["pooling"].parameters < 5.5e5
    assert 0.9e-5 < share < 1.2e-5
    wider = found["projection"].multiply_adds - parts(head="aspp")["projection"].multiply_adds
    assert round(100 * wider / total({}, "multiply_adds"), 2) == 0.15
    extra = PriceExplorer(blocks=6).parts[5:7]
    assert round(sum(part.parameters for part in extra) / 1e6, 1) == 26.8
    assert round(sum(part.multiply_adds for part in extra) / 1e9, 1) == 29.1
    many = {name: 4 * part.values / 2**20 for name, part in parts(num_classes=150).items()}
    assert max(many, key=many.get) == "logits"
    assert round(many["logits"]) == 151


def test_what_the_paper_got_for_it():
    deeper, denser, pyramid = figures.worth_lines()
    (cheap, _), (dear, high), (adds, miou) = deeper[0], deeper[-1], pyramid[0]
    assert adds - cheap < 0.5 * (dear - cheap)
    assert miou > high
    assert round(cheap) == 53
    assert round(denser[-1][0]) == 351
    for line in (denser, pyramid):
        assert 1.25 < line[-1][1] - line[0][1] < 1.45
        assert 3.5 < line[-1][0] / line[0][0] < 3.7
    scales = (0.5, 0.75, 1, 1.25, 1.5, 1.75)
    assert round(2 * sum(scale**2 for scale in scales)) == 17


def test_the_papers_scores_are_those_of_its_tables():
    t3, t4, t6 = (TABLES[name] for name in ("T3", "T4", "T6"))
    assert {blocks: t3.row(f"(1, 2, 1) block{blocks}").paper for blocks in (4, 5, 6, 7)} == figures.CASCADE
    assert figures.CASCADE_AT_8 in [row.paper for row in t4.rows]
    assert list(figures.PYRAMID.values()) == [row.paper for row in t6.rows[:2]]
    grid = {blocks: t3.row(f"(1, 2, 4) block{blocks}").paper for blocks in (4, 7)}
    assert grid == {4: 73.45, 7: 76.02}
    assert (round(77.21 - grid[4], 2), round(grid[7] - grid[4], 2)) == (3.76, 2.57)
    assert round(t6.rows[-1].paper - t6.rows[1].paper, 2) == 1.26


def test_rates_stated_at_16_double_once():
    assert aspp_rates_at((12, 24, 36), 8) == (24, 48, 72)
    assert DeepLabV3Config(output_stride=8).aspp_rates == (6, 12, 18)


def test_the_cascade_of_the_open_task_has_the_names_of_the_parts():
    with torch.device("meta"):
        library = DeepLabV3(DeepLabV3Config(blocks=7, aspp_rates=(), multi_grid=(1, 2, 1)))
        ours = whole_model.DeepLab(library.backbone, nn.Identity(), 2048, 21)
    assert list(ours.state_dict()) == list(library.state_dict())


@pytest.mark.parametrize("name", ["conv1", "layer4.2.conv2", "layer2.0.downsample.0"])
def test_names_are_torchvisions(name):
    with torch.device("meta"):
        assert f"backbone.{name}.weight" in DeepLabV3(DeepLabV3Config()).state_dict()
