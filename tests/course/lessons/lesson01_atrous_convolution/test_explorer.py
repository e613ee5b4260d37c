"""The atrous explorer's JavaScript, run in an embedded V8, gives what the library and torch give."""

import itertools

import pytest
import torch
import traitlets
from stills import check_still
from torch import nn

from dlv3 import atrous
from dlv3.course import AtrousExplorer

SHAPES = [
    {"size": n, "kernel_size": k, "rate": r, "stride": s, "padding": p}
    for n, k, r, s, p in itertools.product(
        (3, 8, 15, 100), (1, 2, 3, 7), (1, 2, 5, 12), (1, 2, 4), (0, 1, 12)
    )
]


def _possible(shape) -> bool:
    span = atrous.effective_kernel_size(shape["kernel_size"], shape["rate"])
    return span <= shape["size"] + 2 * shape["padding"]


def test_atrous_arithmetic_is_the_librarys():
    shapes = [shape for shape in SHAPES if _possible(shape)]
    sizes = AtrousExplorer.evaluate(
        "cases.map((c) => [effectiveKernel(c.kernel_size, c.rate),"
        " outputSize(c.size, c.kernel_size, c.rate, c.stride, c.padding)])",
        cases=shapes,
    )
    for shape, (span, outputs) in zip(shapes, sizes, strict=True):
        assert span == atrous.effective_kernel_size(shape["kernel_size"], shape["rate"])
        assert outputs == atrous.output_size(**shape)


def test_lit_taps_are_the_samples_that_torch_reads():
    k, rate, stride, padding, size = 3, 2, 2, 3, 11
    signal = torch.zeros(1, 1, size, dtype=torch.float64, requires_grad=True)
    weight = torch.ones(1, 1, k, dtype=torch.float64)
    outputs = nn.functional.conv1d(signal, weight, stride=stride, padding=padding, dilation=rate).flatten()
    taps = AtrousExplorer.evaluate("cases.map((c) => tapsOf(...c))",
                          cases=[[i, k, rate, stride, padding] for i in range(len(outputs))])  # fmt: skip
    for i, lit in enumerate(taps):
        (read,) = torch.autograd.grad(outputs[i], signal, retain_graph=True)
        assert [t for t in lit if 0 <= t < size] == read.flatten().nonzero().flatten().tolist()
        explorer = AtrousExplorer(
            kernel_size=k, rate=rate, stride=stride, padding=padding, size=size, column=i
        )
        assert explorer.taps == lit


def test_atrous_limits_let_through_what_fits_and_nothing_else():
    ranges = AtrousExplorer.evaluate("ATROUS_RANGES")
    shapes = [shape for shape in SHAPES if _possible(shape)][::7]
    limits = AtrousExplorer.evaluate("cases.map(atrousLimits)", cases=shapes)
    for shape, limit in zip(shapes, limits, strict=True):
        for name, (low, high) in ranges.items():
            fitting = [value for value in range(low, high + 1) if _possible(shape | {name: value})]
            assert [min(fitting), max(fitting)] == limit[name], (shape, name)


def test_mended_atrous_state_is_valid_whatever_was_moved():
    cases = []
    for shape, (name, value) in itertools.product(
        [s for s in SHAPES if _possible(s)][::29],
        [
            ("kernel_size", 7),
            ("rate", 12),
            ("stride", 4),
            ("padding", 0),
            ("size", 3),
            ("row", 1e6),
            ("column", -1),
        ],
    ):
        cases.append([shape | {"dims": 2, "row": 0, "column": 0} | {name: value}, name])
    for mended in AtrousExplorer.evaluate("cases.map(([s, key]) => atrousRepair(s, key).state)", cases=cases):
        AtrousExplorer(**mended)  # raises if the state is impossible


@pytest.mark.parametrize(
    "wrong",
    [{"size": 5, "rate": 3}, {"row": 11}, {"column": -1}, {"kernel_size": 8}, {"dims": 3}, {"rate": 0}],
)
def test_impossible_atrous_values_are_refused_in_python_too(wrong):
    with pytest.raises(traitlets.TraitError):
        AtrousExplorer(**wrong)


def test_one_sample_is_not_called_samples():
    signal, image = AtrousExplorer(dims=1, kernel_size=1, size=8), AtrousExplorer(kernel_size=1, size=8)
    assert "reads input sample 0: 1 of 1 tap on the map" in signal.says()
    assert "reads row 0 and column 0 of the input: 1 of 1 tap on" in image.says()
    assert "reads input samples 0, 2, 4: 3 of 3 taps" in AtrousExplorer(dims=1, rate=2, size=8).says()


def test_still_picture_is_whole():
    check_still(AtrousExplorer(), AtrousExplorer())
