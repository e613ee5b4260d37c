import pytest
import torch
from randomised import randomise

from dlv3.aspp import ASPP
from dlv3.deeplab import aspp_rates_at


def test_branches_are_the_papers():
    aspp = ASPP(32, 8, (6, 12, 18))
    assert len(aspp.convs) == 5
    assert aspp.rates == (6, 12, 18)
    assert [conv.weight.shape for conv in aspp.atrous_convs] == [(8, 32, 3, 3)] * 3
    assert aspp.project[0].weight.shape == (8, 40, 1, 1)


def test_image_pooling_gives_every_position_the_same_and_sees_the_whole_map():
    aspp = randomise(ASPP(4, 8, (1,)))
    features = torch.randn(2, 4, 5, 7)
    pooled = aspp.convs[-1](features)
    assert pooled.shape == (2, 8, 5, 7)
    assert torch.equal(pooled, pooled[:, :, :1, :1].expand_as(pooled))
    features[:, :, 4, 6] += 10
    assert not torch.allclose(aspp.convs[-1](features), pooled)


def test_without_image_pooling_the_far_corner_has_no_say():
    aspp = randomise(ASPP(4, 8, (2,), image_pooling=False))
    features = torch.randn(1, 4, 9, 9)
    before = aspp(features)
    features[:, :, 8, 8] += 10
    after = aspp(features)
    changed = (after - before).abs().sum(dim=1)[0] > 0
    assert changed.nonzero().tolist() == [[6, 6], [6, 8], [8, 6], [8, 8]]


def test_new_rates_keep_the_weights():
    aspp = randomise(ASPP(4, 8, (2, 4)))
    before = {name: t.clone() for name, t in aspp.state_dict().items()}
    aspp.set_rates((4, 8))
    assert aspp.rates == (4, 8)
    assert all(torch.equal(t, before[name]) for name, t in aspp.state_dict().items())
    with pytest.raises(ValueError, match="2 atrous branches"):
        aspp.set_rates((1, 2, 3))


@pytest.mark.parametrize(
    ("output_stride", "rates"), [(4, (24, 48, 72)), (8, (12, 24, 36)), (16, (6, 12, 18)), (32, (3, 6, 9))]
)
def test_rates_double_when_the_output_stride_halves(output_stride, rates):
    assert aspp_rates_at((6, 12, 18), output_stride) == rates


def test_rates_that_would_break_are_refused_with_the_strides_that_work():
    with pytest.raises(ValueError, match="output_stride=32.*not whole.*may be 4, 8, 16$"):
        aspp_rates_at((5, 10), 32)
    with pytest.raises(ValueError, match=r"output_stride=64.*\(1.5, 3.0, 4.5\)"):
        aspp_rates_at((6, 12, 18), 64)


def test_a_training_batch_of_one_is_refused_until_batch_norm_is_frozen():
    aspp = ASPP(4, 8, (1,)).train()
    with pytest.raises(ValueError, match=r"training batch of 1.*freeze_batch_norm.*image_pooling=False"):
        aspp(torch.randn(1, 4, 5, 5))
    aspp(torch.randn(2, 4, 5, 5))
    aspp.eval()(torch.randn(1, 4, 5, 5))
