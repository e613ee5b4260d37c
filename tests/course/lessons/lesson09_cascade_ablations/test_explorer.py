"""The interval explorer's JavaScript, run in an embedded V8, gives its Python twin's intervals and verdicts."""

import itertools

import numpy as np
import pytest
import traitlets
from stills import check_still

from dlv3.ablations.results import T_975, difference
from dlv3.course import IntervalExplorer

STATES = [
    {"seeds": seeds, "effect": effect, "noise": noise, "shared": shared, "pairing": pairing, "draw": draw}
    for seeds, (effect, noise), (shared, pairing, draw) in itertools.product(
        (1, 2, 3, 8, 20), ((0.0, 1.0), (1.2, 0.5), (5.0, 4.0)), ((0, "equal", 1), (90, "equal", 7), (50, "other", 20))
    )
]  # fmt: skip


def test_both_languages_draw_the_same_differences():
    drawn = IntervalExplorer.evaluate(
        "states.map((s) => [0, 1, 39, 1999].map((repetition) => differencesOf(s, repetition)))",
        states=STATES,
    )
    for state, rows in zip(STATES, drawn, strict=True):
        twin = IntervalExplorer(**state).differences[[0, 1, 39, 1999]]
        assert np.allclose(rows, twin, rtol=0, atol=1e-9), state


def test_intervals_and_verdicts_are_the_ablations():
    values = [[0.4], [0.4, 0.6], [-1.0, -1.1, -1.2], [0.1, 3.0, 5.0], [0.5, 0.6, 0.7], [-1.0, 2.0, 0.3, 0.2]]
    values += [row.tolist() for n in (4, 9, 20) for row in IntervalExplorer(seeds=n).differences[:20]]
    for one, found in zip(
        values, IntervalExplorer.evaluate("values.map(judged)", values=values), strict=True
    ):
        ours = difference(one)
        assert found["verdict"] == ours.verdict
        assert found["mean"] == pytest.approx(ours.mean)
        if len(one) > 1:  # JSON has no infinity
            assert (found["low"], found["high"]) == pytest.approx((ours.low, ours.high))


def test_quantiles_are_the_ablations_table():
    assert tuple(IntervalExplorer.evaluate("STUDENT")) == T_975[:19]


@pytest.mark.parametrize("state", STATES[::7], ids=str)
def test_counts_are_its_twins(state):
    found, twin = IntervalExplorer.evaluate("intervalCounts(s)", s=state), IntervalExplorer(**state).counts
    names = ("holds", "reproduced", "opposite", "same direction", "within noise")
    assert {name: found[name] for name in names} == {name: twin.get(name, 0) for name in names}


def test_noise_is_normal_and_without_pattern():
    draws = IntervalExplorer(seeds=20, effect=0.0, noise=1.0, shared=0, draw=3).differences / np.sqrt(2)
    assert abs(draws.mean()) < 0.02
    assert abs(draws.std() - 1) < 0.01
    assert abs((np.abs(draws) < 1.96).mean() - 0.95) < 0.005
    between = np.corrcoef(draws.T)[np.triu_indices(20, 1)]  # 190 pairs of seeds over 2,000 repetitions
    assert np.abs(between).max() < 0.1


@pytest.mark.parametrize(("shared", "pairing"), [(0, "equal"), (80, "equal"), (80, "other")])
def test_spread_is_that_of_the_differences(shared, pairing):
    explorer = IntervalExplorer(seeds=20, noise=2.0, shared=shared, pairing=pairing)
    assert explorer.differences.std() == pytest.approx(explorer.spread, rel=0.02)


@pytest.mark.parametrize("seeds", [2, 3, 5, 20])
def test_intervals_hold_the_truth_as_often_as_they_promise(seeds):
    for effect in (0.0, 2.0):
        counts = IntervalExplorer(seeds=seeds, effect=effect).counts
        assert abs(counts["holds"] / 2000 - 0.95) < 0.015


def test_one_more_seed_leaves_the_others_as_they_were():
    few, more = (IntervalExplorer(seeds=n).differences for n in (4, 5))
    assert np.array_equal(few, more[:, :4])


def test_marks_stay_on_the_plot():
    ends = IntervalExplorer.evaluate("[-1e9, -8, 0, 3.3, 8, 1e9].map(intervalX)")
    assert ends == sorted(ends)
    assert (ends[0], ends[-1]) == (20, 660)


@pytest.mark.parametrize(
    "wrong",
    [{"seeds": 0}, {"seeds": 21}, {"effect": -0.1}, {"effect": 1.25}, {"noise": 0.4}, {"noise": 4.1}, {"shared": 55},
     {"shared": 100}, {"pairing": "none"}, {"draw": 0}],
)  # fmt: skip
def test_impossible_values_are_refused(wrong):
    with pytest.raises(traitlets.TraitError):
        IntervalExplorer(**wrong)


@pytest.mark.parametrize("state", [{}, STATES[0], STATES[-1], {"effect": 0.0}], ids=str)
def test_still_picture_is_whole(state):
    check_still(IntervalExplorer(**state), IntervalExplorer(**state))
