"""The studies on the scenes: what rows share, the head's two ways of running, and the way through the runner."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from dlv3.ablations import STUDIES, Record, read, runner, table_report
from dlv3.ablations.studies import features as study_features
from dlv3.ablations.studies.cell import StudyCell
from dlv3.ablations.studies.features import SIZE_BOUNDS, Features, cut_backbone, field_of_view, shape_sizes
from dlv3.ablations.studies.net import StudyConfig, StudyHead, score_head, train_head
from dlv3.data.made.scenes import SPLITS, Scenes

GROUPS = {"shapes", "discs", "small", "medium", "large"}
TINY = StudyConfig(pictures=3, iterations=2, positions=16)


def parameters(config: StudyConfig) -> int:
    return sum(p.numel() for p in StudyHead(config, 16, 7).parameters())


def made(maps: torch.Tensor, masks: torch.Tensor, sizes: torch.Tensor, classes: int) -> Features:
    return Features(maps, maps.float().mean((1, 2)), masks, sizes, tuple("abcdefgh"[:classes]), {})


@pytest.mark.parametrize("name", list(STUDIES))
def test_every_study_has_rows_that_run_and_claims_about_them(name):
    table = STUDIES[name]
    names = [row.name for row in table.rows]
    assert len(set(names)) == len({row.setting for row in table.rows}) == len(names)
    assert len({(c.better, c.worse, c.score) for c in table.claims}) == len(table.claims) > 0
    for claim in table.claims:
        assert {claim.better, claim.worse} <= set(names)
        assert claim.better != claim.worse
        assert claim.score in GROUPS | {"miou"}
    for row in table.rows:
        assert row.paper is None
        StudyHead(row.setting, 16, 7)  # raises where the configuration makes no head


@pytest.mark.parametrize("name", ["S1", "S2", "S4", "S5", "S6"])
def test_heads_that_are_compared_have_as_many_parameters(name):
    assert len({parameters(row.setting) for row in STUDIES[name].rows}) == 1


@pytest.mark.parametrize("name", list(STUDIES))
def test_claims_compare_rows_that_differ_in_the_head_alone(name):
    table = STUDIES[name]
    for claim in table.claims:
        better, worse = (
            replace(table.row(row).setting, rates=(1,), image_pooling=False)
            for row in (claim.better, claim.worse)
        )
        assert better == worse


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


def test_a_shorter_backbone_gives_the_longer_ones_inner_map():
    image = torch.rand(1, 3, 65, 65)
    longer = cut_backbone(2, 4)
    torch.testing.assert_close(longer[:-1](image), cut_backbone(1, 4)(image))


def test_maps_of_other_sizes_are_samples_of_one_map():
    image = torch.rand(1, 3, 65, 65)
    dense = cut_backbone(4, 4)(image)
    for stride in (8, 16):
        sampled = dense[:, :, :: stride // 4, :: stride // 4]
        torch.testing.assert_close(cut_backbone(4, stride)(image), sampled, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("blocks", "stride"), [(1, 4), (2, 4), (2, 8)])
def test_field_of_view_is_what_has_a_gradient(blocks, stride):
    backbone = cut_backbone(blocks, stride)
    for parameter in backbone.parameters():
        parameter.abs_()  # none cancels another
    image = torch.rand(1, 3, 129, 129, requires_grad=True)
    middle = 64 // stride
    backbone(image)[0, :, middle, middle].sum().backward()
    seen = image.grad[0].sum(dim=0).abs().sum(dim=0).nonzero().flatten()
    assert seen[-1] - seen[0] + 1 == field_of_view(blocks, stride)
    assert field_of_view(blocks, stride, 3) == field_of_view(blocks, stride) + 6 * stride


def test_sizes_lie_on_shapes_and_are_those_of_their_radii():
    scenes = Scenes("val", scene_cue=False)
    for index in range(5):
        layout, labels = scenes.layout(index), scenes[index][1].numpy()
        sizes = shape_sizes(layout, labels)
        ground_or_wire = (labels == 0) | (labels == scenes.classes.index("wire"))
        assert np.array_equal(sizes == 255, ground_or_wire)
        for shape in layout.shapes:
            group = sum(shape.radius >= bound for bound in SIZE_BOUNDS)
            alone = shape_sizes(replace(layout, shapes=(shape,)), np.ones_like(labels))
            assert set(np.unique(alone)) == {group, 255}


@pytest.fixture
def few_test_pictures(monkeypatch):
    monkeypatch.setitem(SPLITS, "test", 8)
    for drawn in (study_features.features, study_features.pictures_of):
        drawn.cache_clear()
    yield
    for drawn in (study_features.features, study_features.pictures_of):
        drawn.cache_clear()


@pytest.mark.usefixtures("few_test_pictures")
def test_a_study_goes_through_the_runner_and_its_record_comes_back(tmp_path):
    few = replace(TINY, scene_cue=True, image_pooling=True)
    cell = StudyCell("S3", "wide, short, pooling", "laptop", 0, few)
    [record] = runner.run([cell], tmp_path, tmp_path / "work", progress=False)
    assert read(tmp_path) == [record]
    assert set(record.groups) == GROUPS
    assert record.config == json.loads(json.dumps(record.config)) == cell.values()
    assert record.split == "test"
    assert {"sun", "coin"} < set(record.iou)
    assert record.groups["discs"] == pytest.approx((record.iou["sun"] + record.iou["coin"]) / 2)
    assert not runner.is_done(replace(cell, config=replace(few, iterations=3)), tmp_path)
    assert "| wide, short, pooling |" in table_report(STUDIES["S3"], [record], "laptop")


def test_report_shows_large_and_small_shapes_apart():
    def record(row: str, seed: int, miou: float, large: float) -> Record:
        groups = dict.fromkeys(GROUPS, 0.5) | {"large": large}
        return Record("S1", row, "laptop", seed, "test", miou, {}, groups, {}, "cpu", {}, "abc", 1.0)

    runs = [record("rate 4", s, 0.60 + s / 1000, 0.7 + s / 1000) for s in range(3)]
    runs += [record("rate 2", s, 0.61, 0.6) for s in range(3)]
    text = table_report(STUDIES["S1"], runs, "laptop")
    assert "|  | mIOU | discs | large | medium | shapes | small | seeds |" in text
    assert "| rate 4 beats rate 2 on large shapes | large | +10.1 [+9.9, +10.3] | 3 | reproduced |" in text
