"""The bounds that stand beside the rows at a quarter of the paper's scale."""

import pytest

from dlv3.ablations import TABLES
from dlv3.ablations.paper import bounds
from dlv3.ablations.paper.bounds import Bounds, bounds_at


@pytest.fixture(autouse=True)
def cheap(monkeypatch):
    """Bounds that say what they were asked for."""
    monkeypatch.setattr(bounds, "_ceiling", lambda dataset, output_stride: 90 - output_stride)
    monkeypatch.setattr(
        bounds, "_by_reach", lambda dataset, model: 10.0 * model.blocks + (dataset == "outline")
    )


def test_the_ceiling_is_that_of_the_output_stride_at_evaluation():
    t4 = TABLES["T4"]
    assert bounds_at(t4.row("output stride 16"), "quarter") == Bounds(86, 71)
    assert bounds_at(t4.row("output stride 8"), "quarter") == Bounds(88, 71)


def test_reach_alone_gives_a_score_on_outline_and_on_heads():
    assert bounds_at(TABLES["T2"].row("resnet50 block5"), "quarter") == Bounds(86, 51)
    assert bounds_at(TABLES["T2"].row("resnet50 block5"), "quarter-heads") == Bounds(86, 50)


def test_text_has_one_decimal_and_nothing_for_none():
    assert Bounds(91.44).as_text() == ("91.4", "")
    assert Bounds().as_text() == ("", "")
