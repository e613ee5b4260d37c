"""Counting one batch: every pair of a label and a prediction in its bin, and batches that do not fit refused."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dlv3.evaluation.counting import check_batch, count_pairs

INTEGERS = [torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64]


def brute_force(pred, target, classes, lowest, highest):
    counts = torch.zeros(highest - lowest + 3, classes + 2, dtype=torch.int64)
    for label, predicted in zip(target.flatten().tolist(), pred.flatten().tolist(), strict=True):
        row = min(max(label, lowest - 1), highest + 1) - lowest + 1
        counts[row, min(max(predicted, -1), classes) + 1] += 1
    return counts


@settings(deadline=None)
@given(
    seed=st.integers(0, 1000),
    classes=st.integers(1, 300),
    lowest=st.integers(-100, 0),
    highest=st.integers(0, 300),
    types=st.tuples(st.sampled_from(INTEGERS), st.sampled_from(INTEGERS)),
)
def test_every_pair_is_in_its_bin_and_what_is_beyond_at_the_ends(seed, classes, lowest, highest, types):
    generator = torch.Generator().manual_seed(seed)
    pred, target = (torch.randint(-400, 400, (2, 3, 5), generator=generator).to(dtype) for dtype in types)
    counts = count_pairs(pred, target, classes, lowest, highest)
    assert torch.equal(counts, brute_force(pred, target, classes, lowest, highest))


def test_values_at_the_limits_of_their_type_are_counted():
    for dtype in INTEGERS:
        limits = torch.iinfo(dtype)
        values = torch.tensor([[[limits.min, limits.max]]], dtype=dtype)
        counts = count_pairs(values, values, 3, 0, 2)
        assert torch.equal(counts, brute_force(values, values, 3, 0, 2))


@pytest.mark.parametrize(
    ("pred", "target", "error", "message"),
    [
        (torch.zeros(1, 2, 2), torch.zeros(1, 2, 2).long(), TypeError, "pred.dtype=torch.float32"),
        (torch.zeros(1, 2, 2).long(), torch.zeros(1, 2, 2), TypeError, "target.dtype=torch.float32"),
        (torch.zeros(1, 2, 2).bool(), torch.zeros(1, 2, 2).long(), TypeError, "pred.dtype=torch.bool"),
        (torch.zeros(1, 3, 2, 2).long(), torch.zeros(1, 2, 2).long(), TypeError, "floating-point logits"),
        (torch.zeros(1, 4, 2, 2), torch.zeros(1, 2, 2).long(), ValueError, "expected 3 classes"),
        (
            torch.zeros(2, 2).long(),
            torch.zeros(2, 2).long(),
            ValueError,
            r"pred.shape=\(2, 2\).*pred\[None\] is",
        ),
        (torch.zeros(1, 2, 2).long(), torch.zeros(1, 1, 2, 2).long(), ValueError, "target.shape"),
        (torch.zeros(1, 3, 2, 2), torch.zeros(1, 4, 4).long(), ValueError, "never labels"),
        (torch.zeros(2, 2, 2).long(), torch.zeros(1, 2, 2).long(), ValueError, "do not fit"),
    ],
)
def test_bad_input_is_named(pred, target, error, message):
    with pytest.raises(error, match=message):
        check_batch(pred, target, 3)


def test_batch_that_fits_is_accepted():
    labels = torch.zeros(2, 4, 5, dtype=torch.uint8)
    check_batch(torch.zeros(2, 4, 5, dtype=torch.int16), labels, 3)
    check_batch(torch.zeros(2, 3, 4, 5, dtype=torch.bfloat16), labels, 3)


def test_two_devices_are_refused():
    with pytest.raises(ValueError, match="pred is on cpu, target on meta: move one to the other"):
        check_batch(torch.zeros(1, 2, 2).long(), torch.zeros(1, 2, 2, device="meta").long(), 3)
