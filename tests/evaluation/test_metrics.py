"""The confusion matrix against torchmetrics, brute force and its own promises."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchmetrics.classification import MulticlassConfusionMatrix, MulticlassJaccardIndex

from dlv3.evaluation import ConfusionMatrix

INTEGERS = [torch.uint8, torch.int16, torch.int32, torch.int64]


def random_case(seed, num_classes, ignore_index, occurring):
    """Predictions and labels in which only some classes occur and about a fifth of the labels are ignored."""
    generator = torch.Generator().manual_seed(seed)
    classes = torch.randperm(num_classes, generator=generator)[:occurring]
    shape = (2, 7, 9)
    pred = classes[torch.randint(len(classes), shape, generator=generator)]
    target = classes[torch.randint(len(classes), shape, generator=generator)]
    target[torch.rand(shape, generator=generator) < 0.2] = ignore_index
    return pred, target


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    num_classes=st.integers(2, 30),
    occurring=st.integers(1, 30),
    ignore=st.sampled_from([255, -1, -100, 300, 0, 1]),
)
def test_equals_torchmetrics(seed, num_classes, occurring, ignore):
    pred, target = random_case(seed, num_classes, ignore, min(occurring, num_classes))
    ours = ConfusionMatrix(num_classes, ignore_index=ignore)
    for row in range(2):  # in two batches
        ours.update(pred[row : row + 1], target[row : row + 1])
    matrix = MulticlassConfusionMatrix(num_classes, ignore_index=ignore)(pred, target)
    miou = MulticlassJaccardIndex(num_classes, average="macro", ignore_index=ignore)(pred, target)
    per_class = MulticlassJaccardIndex(num_classes, average="none", ignore_index=ignore)(pred, target)
    assert torch.equal(ours.matrix, matrix)
    if matrix.sum() == 0:
        assert math.isnan(ours.miou())
        return
    assert ours.miou() == pytest.approx(miou.item(), abs=1e-6)
    occurs = ~ours.iou().isnan()
    torch.testing.assert_close(ours.iou()[occurs].float(), per_class[occurs])
    assert (per_class[~occurs].nan_to_num() == 0).all()


@pytest.mark.parametrize("num_classes", [1, 2, 21, 125, 126, 150, 256, 300])
def test_equals_brute_force_for_any_number_of_classes(num_classes):
    generator = torch.Generator().manual_seed(num_classes)
    pred = torch.randint(num_classes, (2, 40, 40), generator=generator)
    target = torch.randint(num_classes, (2, 40, 40), generator=generator)
    ours = ConfusionMatrix(num_classes, ignore_index=-1)
    ours.update(pred, target)
    expected = torch.zeros(num_classes, num_classes, dtype=torch.int64)
    expected.index_put_((target.flatten(), pred.flatten()), torch.tensor(1), accumulate=True)
    assert torch.equal(ours.matrix, expected)


@pytest.mark.parametrize("target_type", INTEGERS)
@pytest.mark.parametrize("pred_type", INTEGERS)
def test_every_integer_type_counts_the_same(pred_type, target_type):
    pred, target = random_case(0, 21, 255, 21)
    ours, wide = ConfusionMatrix(21), ConfusionMatrix(21)
    ours.update(pred.to(pred_type), target.to(target_type))
    wide.update(pred, target)
    assert ours.matrix.dtype == torch.int64
    assert torch.equal(ours.matrix, wide.matrix)


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_logits_count_as_their_argmax(memory_format):
    logits = torch.randn(2, 21, 7, 9, generator=torch.Generator().manual_seed(0))
    _, target = random_case(1, 21, 255, 21)
    ours, indices = ConfusionMatrix(21), ConfusionMatrix(21)
    ours.update(logits.contiguous(memory_format=memory_format), target)
    indices.update(logits.argmax(1), target)
    assert torch.equal(ours.matrix, indices.matrix)


def test_iou_is_summed_over_the_data_set_not_averaged_over_batches():
    ours = ConfusionMatrix(2)
    # The IOU of class 1 is 1 in the first picture and 0 in the second.
    ours.update(torch.tensor([[[1, 1, 1, 1]]]), torch.tensor([[[1, 1, 1, 1]]]))
    ours.update(torch.tensor([[[1, 0, 0, 0]]]), torch.tensor([[[0, 1, 0, 0]]]))
    assert ours.iou().tolist() == [2 / 4, 4 / 6]
    assert ours.pixel_accuracy() == 6 / 8


def test_class_that_never_occurs_is_nan_and_left_out_of_the_mean():
    ours = ConfusionMatrix(4)
    # Class 2 is predicted only where the label is ignored, class 3 nowhere.
    ours.update(torch.tensor([[[0, 1, 1, 2]]]), torch.tensor([[[0, 1, 0, 255]]]))
    assert ours.iou()[:2].tolist() == [0.5, 0.5]
    assert ours.iou().isnan().tolist() == [False, False, True, True]
    assert ours.miou() == 0.5


def test_class_only_predicted_counts_as_zero():
    ours = ConfusionMatrix(3)
    ours.update(torch.tensor([[[0, 2]]]), torch.tensor([[[0, 0]]]))
    assert ours.iou()[2] == 0
    assert ours.miou() == 0.25


def test_nothing_counted_is_nan():
    ours = ConfusionMatrix(3)
    ours.update(torch.zeros(1, 2, 2, dtype=torch.uint8), torch.full((1, 2, 2), 255, dtype=torch.uint8))
    assert math.isnan(ours.miou())
    assert math.isnan(ours.pixel_accuracy())


def test_tensors_given_are_not_changed():
    pred, target = random_case(0, 5, 255, 5)
    before = pred.clone(), target.clone()
    ConfusionMatrix(5).update(pred, target)
    ours = ConfusionMatrix(5)
    ours.update(pred.to(torch.int16), narrow := target.to(torch.int16))
    assert torch.equal(narrow, before[1].to(torch.int16))
    assert torch.equal(pred, before[0])
    assert torch.equal(target, before[1])


def test_sum_of_two_equals_all_at_once():
    first, second, whole = ConfusionMatrix(6), ConfusionMatrix(6), ConfusionMatrix(6)
    for seed, part in enumerate((first, second)):
        pred, target = random_case(seed, 6, 255, 6)
        part.update(pred, target)
        whole.update(pred, target)
    assert torch.equal((first + second).matrix, whole.matrix)
    assert not torch.equal(first.matrix, whole.matrix)
    first.merge(second)
    assert torch.equal(first.matrix, whole.matrix)


def test_all_reduce_without_ranks_changes_nothing():
    ours = ConfusionMatrix(6)
    ours.update(*random_case(0, 6, 255, 6))
    before = ours.matrix
    ours.all_reduce()
    assert torch.equal(ours.matrix, before)


@pytest.mark.parametrize(
    ("label", "dtype"),
    [(7, torch.uint8), (254, torch.uint8), (7, torch.int64), (-3, torch.int64), (9000, torch.int64)],
)
def test_label_out_of_range_is_named_with_its_value(label, dtype):
    target = torch.zeros(1, 2, 2, dtype=dtype)
    target[0, 0, 0] = label
    ours = ConfusionMatrix(7)
    ours.update(torch.zeros_like(target), target)
    with pytest.raises(ValueError, match=f"^label {label} at 1 pixels: expected 0 to 6, or 255"):
        ours.miou()


@pytest.mark.parametrize("value", [7, -1, 40000])
def test_prediction_out_of_range_is_named_where_a_label_is(value):
    pred = torch.tensor([[[0, value]]])
    ours = ConfusionMatrix(7)
    ours.update(pred, torch.tensor([[[0, 255]]]))
    assert ours.miou() == 1
    ours.update(pred, torch.tensor([[[0, 0]]]))
    with pytest.raises(ValueError, match=f"^prediction {value} at 1 labelled pixels: expected 0 to 6"):
        ours.miou()


def test_needs_a_class():
    with pytest.raises(ValueError, match="num_classes=0"):
        ConfusionMatrix(0)


def test_merge_needs_the_same_classes():
    with pytest.raises(ValueError, match="num_classes"):
        ConfusionMatrix(3).merge(ConfusionMatrix(4))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("num_classes", [2, 21, 150])
def test_cuda_counts_the_same_without_waiting(num_classes):
    logits = torch.randn(2, num_classes, 33, 35)
    target = torch.randint(num_classes, (2, 33, 35))
    target[0, :5] = 255
    ours, cpu = ConfusionMatrix(num_classes), ConfusionMatrix(num_classes)
    cpu.update(logits, target)
    logits, target = logits.cuda(), target.cuda()
    ours.update(logits, target)  # moves the counts there, once
    torch.cuda.set_sync_debug_mode("error")
    try:
        ours.update(logits, target)
        ours.update(logits.argmax(1), target.to(torch.uint8))
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert torch.equal(ours.matrix, 3 * cpu.matrix)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_logits_that_are_not_finite_are_an_error_of_the_results(value):
    logits = torch.zeros(1, 3, 2, 2)
    logits[0, 1, 0, 0] = value
    counts = ConfusionMatrix(3)
    counts.update(logits, torch.tensor([[[0, 1], [255, 2]]]))
    with pytest.raises(ValueError, match="^logits at 1 labelled pixels are NaN or infinite"):
        counts.miou()


def test_logits_that_are_not_finite_where_nothing_is_labelled_do_not_count():
    logits = torch.zeros(1, 3, 1, 2)
    logits[0, :, 0, 0] = math.nan
    counts = ConfusionMatrix(3)
    counts.update(logits, torch.tensor([[[255, 0]]]))
    assert counts.pixel_accuracy() == 1


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.int64, ">i4", np.uint32])
def test_numpy_arrays_count_as_tensors(dtype):
    pred, target = random_case(0, 5, 255, 5)
    expected, counts = ConfusionMatrix(5), ConfusionMatrix(5)
    expected.update(pred, target)
    frozen = target.numpy().astype(dtype)
    frozen.setflags(write=False)
    counts.update(pred.numpy().astype(dtype)[:, ::-1][:, ::-1], frozen)
    assert torch.equal(counts.matrix, expected.matrix)
    counts = ConfusionMatrix(5)
    counts.update(torch.nn.functional.one_hot(pred, 5).movedim(3, 1).float().numpy(), target.numpy())
    assert torch.equal(counts.matrix, expected.matrix)


@pytest.mark.parametrize("values", [[[[0, 1]]], None, np.array([[["a"]]])])
def test_other_kinds_of_values_are_refused(values):
    counts = ConfusionMatrix(2)
    with pytest.raises(
        TypeError, match=r"^pred( is a \w+: expected a tensor or a NumPy array|.dtype=<U1: expected)"
    ):
        counts.update(values, torch.zeros(1, 1, 2, dtype=torch.uint8))
