"""The price explorer names the dearest parts and refuses impossible models; test_costs.py has its arithmetic."""

import pytest
import traitlets
from stills import check_still

from dlv3.course import PriceExplorer
from dlv3.course.kit.costs import price

STATES = [
    {},
    {"output_stride": 16, "head": "plain", "num_classes": 19},
    {
        "backbone": "resnet101",
        "size": 321,
        "output_stride": 32,
        "blocks": 6,
        "head": "plain",
        "num_classes": 19,
    },
]


def test_what_stands_out_is_named_with_its_share():
    parts = price(output_stride=8)
    total = sum(part.multiply_adds for part in parts)
    aspp = sum(part.multiply_adds for part in parts[5:9])
    assert [part.name for part in parts[5:9]] == ["1×1", "atrous 3×3", "pooling", "projection"]
    assert (
        f"most multiply-adds in ASPP ({round(100 * aspp / total)}%)" in PriceExplorer(output_stride=8).says()
    )


def test_what_is_small_is_not_said_to_be_nothing():
    drawn = PriceExplorer.evaluate("price.draw(s)", s=PriceExplorer().state)
    assert "under 0.01 · under 1%" in drawn  # image pooling's multiply-adds
    assert "0.00 ·" not in drawn
    assert "· 0%" not in drawn


@pytest.mark.parametrize("wrong", [{"output_stride": 64}, {"blocks": 3}, {"head": "none"}, {"size": 65}])
def test_values_out_of_range_are_refused(wrong):
    with pytest.raises(traitlets.TraitError):
        PriceExplorer(**wrong)


@pytest.mark.parametrize("state", STATES, ids=str)
def test_still_picture_is_whole(state):
    check_still(PriceExplorer(**state), PriceExplorer(**state))
