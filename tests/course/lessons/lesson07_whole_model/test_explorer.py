"""The price explorer's JavaScript, run in an embedded V8, gives its Python twin's figures."""

import itertools

import pytest
import traitlets
from stills import check_still

from dlv3.course import PriceExplorer
from dlv3.course.kit.costs import price

CASES = [
    {
        "backbone": backbone,
        "size": size,
        "output_stride": output_stride,
        "blocks": blocks,
        "head": head,
        "num_classes": classes,
    }
    for (backbone, size), (output_stride, blocks), (head, classes) in itertools.product(
        (("resnet50", 513), ("resnet101", 321)),
        ((4, 4), (8, 7), (16, 4), (16, 5), (32, 6)),
        (("pooling", 21), ("aspp", 150), ("plain", 19)),
    )
]


def test_arithmetic_is_its_twins():
    drawn = PriceExplorer.evaluate("cases.map(priceParts)", cases=CASES)
    for case, parts in zip(CASES, drawn, strict=True):
        assert parts == [vars(part) for part in price(**case)]


def test_what_stands_out_is_named_with_its_share():
    parts = price(output_stride=8)
    total = sum(part.multiply_adds for part in parts)
    aspp = sum(part.multiply_adds for part in parts[5:9])
    assert [part.name for part in parts[5:9]] == ["1×1", "atrous 3×3", "pooling", "projection"]
    assert (
        f"most multiply-adds in ASPP ({round(100 * aspp / total)}%)" in PriceExplorer(output_stride=8).says()
    )


@pytest.mark.parametrize("wrong", [{"output_stride": 64}, {"blocks": 3}, {"head": "none"}, {"size": 65}])
def test_values_out_of_range_are_refused(wrong):
    with pytest.raises(traitlets.TraitError):
        PriceExplorer(**wrong)


@pytest.mark.parametrize("state", [{}, CASES[8], CASES[-1]], ids=str)
def test_still_picture_is_whole(state):
    check_still(PriceExplorer(**state), PriceExplorer(**state))
