"""The receptive-field explorer's JavaScript, run in an embedded V8, gives what the library gives."""

import itertools

from stills import check_still

from dlv3 import receptive_field
from dlv3.course import ReceptiveFieldExplorer


def test_field_size_holes_and_paths_are_the_librarys():
    stacks = [list(rates) for n in (1, 2, 3, 5) for rates in itertools.product((1, 2, 5, 8), repeat=n)][::5]
    cases = [{"kernel_size": k, "rates": rates} for k in (2, 3, 5) for rates in stacks]
    facts = ReceptiveFieldExplorer.evaluate(
        "cases.map((c) => ({...fieldFacts(c), formula: fieldSize(c.kernel_size, c.rates)}))",
        cases=cases,
    )
    for case, fact in zip(cases, facts, strict=True):
        layers = [receptive_field.Layer(case["kernel_size"], rate=rate) for rate in case["rates"]]
        assert fact["size"] == fact["formula"] == receptive_field.receptive_field(layers).size
        assert fact["holes"] == receptive_field.count_holes(layers)
        assert fact["input"] == receptive_field.count_paths(layers).tolist()


def test_one_hole_is_not_called_holes():
    assert "leaves 1 hole;" in ReceptiveFieldExplorer(kernel_size=2, rates=(2,)).says()
    assert "leaves 2 holes;" in ReceptiveFieldExplorer(rates=(2,)).says()


def test_one_rate_is_not_called_rates():
    assert ReceptiveFieldExplorer(rates=(2,)).says().startswith("With rate 2 one output")
    assert ReceptiveFieldExplorer(rates=(2, 3)).says().startswith("With rates (2, 3) one output")


def test_still_picture_is_whole():
    check_still(ReceptiveFieldExplorer(), ReceptiveFieldExplorer())
