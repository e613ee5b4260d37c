"""The valid-weights explorer's JavaScript, run in an embedded V8, gives what the library and torch give."""

import pytest
import torch
import traitlets
from stills import check_still
from torch.nn import functional as F

from dlv3 import atrous
from dlv3.course import ValidWeightsExplorer

CASES = [
    (n, r) for n in (3, 4, 9, 17, 33, 64, 65) for r in (1, 2, 4, 6, 8, 9, 16, 17, 18, 32, 33, 64, 65, 80)
]


def test_shares_are_the_librarys():
    drawn = ValidWeightsExplorer.evaluate("cases.map((c) => validShares(...c))", cases=CASES)
    for (n, r), shares in zip(CASES, drawn, strict=True):
        assert shares == list(atrous.valid_weight_shares(n, r).values()), (n, r)


def test_padding_share_is_what_a_convolution_of_ones_counts():
    drawn = ValidWeightsExplorer.evaluate("cases.map((c) => meetingPadding(...c))", cases=CASES)
    for (n, r), share in zip(CASES, drawn, strict=True):
        ones = torch.ones(1, 1, n, n, dtype=torch.float64)
        valid = F.conv2d(ones, torch.ones(1, 1, 3, 3, dtype=torch.float64), padding=r, dilation=r)
        assert share == pytest.approx(1 - valid.sum().item() / (9 * n * n)), (n, r)
        if r <= 1.25 * n:
            assert ValidWeightsExplorer(size=n, rate=r).padding_share == pytest.approx(share)


def test_regions_of_the_map_hold_the_librarys_count_at_every_position():
    drawn = ValidWeightsExplorer.evaluate("cases.map((c) => axisRuns(...c))", cases=CASES)
    for (n, r), runs in zip(CASES, drawn, strict=True):
        along = torch.cat([torch.full((length,), taps) for _, length, taps in runs])
        assert torch.equal(along[:, None] * along, atrous.count_valid_weights(n, r)), (n, r)


@pytest.mark.parametrize(
    ("size", "rate", "row", "column"), [(65, 12, 32, 32), (65, 12, 3, 60), (9, 6, 4, 0), (33, 41, 5, 5)]
)
def test_taps_drawn_on_the_map_are_the_ones_that_torch_reads(size, rate, row, column):
    image = torch.zeros(1, 1, size, size, dtype=torch.float64, requires_grad=True)
    weight = torch.ones(1, 1, 3, 3, dtype=torch.float64)
    F.conv2d(image, weight, padding=rate, dilation=rate)[0, 0, row, column].backward()
    read = image.grad[0, 0].nonzero().tolist()
    rows, columns = ValidWeightsExplorer.evaluate("at.map((i) => tapsAround(i, r))", at=[row, column], r=rate)
    assert [[i, j] for i in rows for j in columns if 0 <= i < size and 0 <= j < size] == read
    explorer = ValidWeightsExplorer(size=size, rate=rate, row=row, column=column)
    assert explorer.valid == len(read)
    picture = explorer.still()
    assert picture.count('class="dx-tap-off"') == 9 - len(read)
    assert picture.count('class="dx-tap"') == len(read) - 1  # the centre has a mark of its own
    assert f"{len(read)} of 9" in explorer.says()


@pytest.mark.parametrize(("size", "rate"), [(65, 6), (65, 12), (65, 18), (65, 24), (33, 18), (9, 9), (9, 8)])
def test_what_it_says_is_what_it_counts(size, rate):
    explorer = ValidWeightsExplorer(size=size, rate=rate)
    assert f"{explorer.padding_share:.1%} of the multiplications" in explorer.says()
    if rate >= size:
        assert "1×1 filter" in explorer.says()
        assert explorer.shares[1] == 1
    else:
        assert f"{explorer.shares[9]:.1%} of the positions have all nine" in explorer.says()


def test_a_share_of_few_positions_is_not_said_to_be_none():
    assert "1 of 4\u202f225 positions have all nine" in ValidWeightsExplorer(size=65, rate=32).says()


def test_smaller_map_corrects_values_that_no_longer_fit():
    for size, rate, row, column in ((9, 20, 64, 3), (3, 4, 8, 8), (65, 80, 64, 64), (9, 11, 0, 8)):
        state = {"size": size, "rate": rate, "row": row, "column": column}
        mended = ValidWeightsExplorer.evaluate("validRepair(state, 'size')", state=state)
        explorer = ValidWeightsExplorer(**mended["state"])  # raises if it is impossible
        assert (explorer.row, explorer.column) == (min(row, size - 1), min(column, size - 1))
        assert bool(mended["note"]) == (explorer.rate != rate)
        assert explorer.rate == min(rate, int(1.25 * size))


def test_pointer_reaches_every_position_and_nothing_else():
    state = {"size": 9, "rate": 2, "row": 0, "column": 0}
    found = ValidWeightsExplorer.evaluate(
        "(() => { const { cell, x, y } = validPlan(state); return [-1, 0, 4, 8, 9].map((i) =>"
        " validWeights.point(x + (i + 0.5) * cell, y + 2.5 * cell, state)) })()",
        state=state,
    )
    assert found == [None, *({"row": 2, "column": i} for i in (0, 4, 8)), None]


@pytest.mark.parametrize(
    "wrong",
    [
        {"size": 2},
        {"size": 66},
        {"rate": 0},
        {"rate": 81},
        {"size": 9, "rate": 12},
        {"size": 9, "row": 9},
        {"column": -1},
    ],
)
def test_impossible_values_are_refused(wrong):
    with pytest.raises(traitlets.TraitError):
        ValidWeightsExplorer(**wrong)
    explorer = ValidWeightsExplorer(size=33, row=20)
    with pytest.raises(traitlets.TraitError, match="must lie on the map"):
        explorer.size = 9


@pytest.mark.parametrize(
    "state", [{}, {"size": 3, "rate": 3}, {"size": 65, "rate": 1}, {"size": 9, "rate": 9}], ids=str
)
def test_still_picture_is_whole(state):
    check_still(ValidWeightsExplorer(**state), ValidWeightsExplorer(**state))
