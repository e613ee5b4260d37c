import pytest
import torch
from randomised import randomise

from dlv3.resnet import BACKBONES, ResNet, base_rate

# Section 3.2, Fig. 3b: the base rates of block3 to block7.
BASE_RATES = {
    8: (2, 4, 8, 16, 32),
    16: (1, 2, 4, 8, 16),
    32: (1, 1, 2, 4, 8),
    64: (1, 1, 1, 2, 4),
    128: (1, 1, 1, 1, 2),
    256: (1, 1, 1, 1, 1),
}
CITYSCAPES_RATES = {2: 2, 3: 4, 4: 8}  # at output stride 4
EXACT = 1e-10


def rates(backbone: ResNet, block: int) -> list[tuple[int, ...]]:
    return [tuple(conv.rate for conv in unit.spatial_convs) for unit in backbone.block(block)]


@pytest.mark.parametrize("output_stride", list(BASE_RATES))
def test_base_rates_are_the_papers(output_stride):
    assert tuple(base_rate(b, output_stride) for b in range(3, 8)) == BASE_RATES[output_stride]


@pytest.mark.parametrize("output_stride", list(BASE_RATES))
def test_blocks_take_the_papers_base_rates(output_stride):
    backbone = ResNet(BACKBONES["resnet14"], output_stride=output_stride, blocks=7)
    for block, rate in zip(range(3, 8), BASE_RATES[output_stride], strict=True):
        assert {r for unit in rates(backbone, block) for r in unit} == {rate}


@pytest.mark.parametrize("output_stride", list(BASE_RATES))
def test_quarter_scale_backbone_takes_the_papers_base_rates_at_a_quarter_of_the_output_stride(output_stride):
    spec = BACKBONES["resnet17"]
    assert tuple(spec.base_rate(b, output_stride // 4) for b in range(3, 8)) == BASE_RATES[output_stride]
    assert spec.paper_output_stride == 4


def test_quarter_scale_stem_gives_up_its_stride_below_output_stride_4():
    backbone = ResNet(BACKBONES["resnet17"], output_stride=4)
    assert backbone.conv1.stride == (4, 4)
    backbone.set_output_stride(2)
    assert backbone.conv1.stride == (2, 2)
    assert {r for b in (1, 2, 3) for unit in rates(backbone, b) for r in unit} == {2}


def test_base_rates_at_output_stride_4():
    assert {block: base_rate(block, 4) for block in CITYSCAPES_RATES} == CITYSCAPES_RATES


def test_multi_grid_multiplies_the_base_rate_in_block4_and_leaves_1x1_convolutions_alone():
    backbone = ResNet(BACKBONES["resnet50"], output_stride=16, multi_grid=(1, 2, 4))
    assert rates(backbone, 4) == [(2,), (4,), (8,)]
    assert rates(backbone, 3) == [(1,)] * 6
    assert all(conv.rate == 1 for unit in backbone.block(4) for conv in (unit.conv1, unit.conv3))


def test_previous_rule_keeps_the_rate_from_before_the_stride_in_the_first_unit():
    backbone = ResNet(BACKBONES["resnet50"], output_stride=8, first_unit="previous")
    assert rates(backbone, 3) == [(1,), (2,), (2,), (2,), (2,), (2,)]
    assert rates(backbone, 4) == [(2,), (4,), (4,)]


def test_strides_stand_in_the_last_unit_before_or_in_the_first_unit_itself():
    stage = ResNet(BACKBONES["resnet50"], output_stride=32, first_unit="stage")
    previous = ResNet(BACKBONES["resnet50"], output_stride=32, first_unit="previous")
    assert [[unit.stride for unit in stage.block(b)] for b in (2, 4)] == [[1, 1, 1, 2], [1, 1, 1]]
    assert [[unit.stride for unit in previous.block(b)] for b in (2, 4)] == [[2, 1, 1, 1], [2, 1, 1]]


def denser_strides(backbone: ResNet, first_unit: str, images: torch.Tensor) -> None:
    """Check that at every output stride each second sample of the map is the map of the stride above."""
    *denser, largest = backbone.spec.output_strides(backbone.blocks)
    backbone.first_unit = first_unit
    backbone.set_output_stride(largest)
    with torch.inference_mode():
        strided = backbone(images)
        assert min(strided.shape[2:]) > 1
        for output_stride in reversed(denser):
            backbone.set_output_stride(output_stride)
            dense = backbone(images)
            assert dense[:, :, ::2, ::2].shape == strided.shape
            assert (dense[:, :, ::2, ::2] - strided).abs().max() < EXACT
            assert strided.std() > 0.01  # and not because everything is 0
            strided = dense


@pytest.mark.parametrize("name", list(BACKBONES))
def test_dense_map_subsampled_equals_strided_map(name):
    backbone = randomise(ResNet(BACKBONES[name], output_stride=4, multi_grid=(1, 2, 4))).double()
    images = torch.randn(1, 3, 65, 46, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    for first_unit in ("stage", "previous"):
        denser_strides(backbone, first_unit, images)


@pytest.mark.slow
@pytest.mark.parametrize("first_unit", ["stage", "previous"])
@pytest.mark.parametrize(("name", "sides"), [("resnet14", (514, 261)), ("resnet17", (133, 130))])
def test_dense_map_subsampled_equals_strided_map_through_the_whole_cascade(name, sides, first_unit):
    backbone = randomise(ResNet(BACKBONES[name], output_stride=4, blocks=7)).double()
    images = torch.randn(1, 3, *sides, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    denser_strides(backbone, first_unit, images)


def test_one_rule_with_the_other_rules_stride_is_not_exact():
    backbone = randomise(ResNet(BACKBONES["resnet14"], output_stride=32, first_unit="previous")).double()
    images = torch.randn(1, 3, 65, 65, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        strided = backbone(images)
        backbone.set_output_stride(16)
        backbone.block(4)[0].set_rates(2, 2)  # what the rule "stage" would give the first unit
        assert (backbone(images)[:, :, ::2, ::2] - strided).abs().max() > 1e-3


@pytest.mark.parametrize("first_unit", ["stage", "previous"])
def test_changing_the_output_stride_there_and_back_is_the_same_as_building_anew(first_unit):
    options = dict(multi_grid=(1, 2, 4), blocks=6, first_unit=first_unit)
    changed = ResNet(BACKBONES["resnet14"], output_stride=128, **options)
    for output_stride in (4, 64, 16):
        changed.set_output_stride(output_stride)
    fresh = ResNet(BACKBONES["resnet14"], output_stride=16, **options)
    for a, b in zip(changed.main_path(), fresh.main_path(), strict=True):
        assert (a.stride, a.dilation, a.padding) == (b.stride, b.dilation, b.padding)


def test_feature_maps_end_with_what_forward_gives_and_halve_down_to_the_output_stride():
    backbone = randomise(ResNet(BACKBONES["resnet14"], output_stride=16))
    images = torch.randn(1, 3, 65, 129)
    maps = backbone.feature_maps(images)
    assert torch.equal(maps["block4"], backbone(images))
    sizes = [tuple(m.shape[2:]) for m in maps.values()]
    assert list(maps) == ["stem", "block1", "block2", "block3", "block4"]
    # With the rule "stage", a block's last unit already steps down to the next block's stride.
    assert sizes == [(17, 33), (9, 17), (5, 9), (5, 9), (5, 9)]
