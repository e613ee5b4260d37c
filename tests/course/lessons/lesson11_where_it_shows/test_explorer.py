"""The world explorer's JavaScript, run in an embedded V8, gives its Python twin's counts."""

import itertools

import numpy as np
import pytest
import traitlets
from stills import check_still

from dlv3.ablations.paper.reach import reach
from dlv3.config.presets import preset
from dlv3.course import WorldExplorer
from dlv3.data.made.outline import OUTLINES

STATES = [
    {"side": side, "percent": percent, "output_stride": output_stride, "reach": reach}
    for (side, percent), output_stride, reach in itertools.product(
        ((65, 10), (129, 20), (129, 65), (257, 90)), (4, 16, 32), (15, 47, 251)
    )
]


def test_both_languages_count_the_same_pixels():
    found = WorldExplorer.evaluate(
        "states.map(worldFacts).map((f) => [f.both, f.either, f.pixels, ...f.seen, ...f.reaches, f.map, f.side])",
        states=STATES,
    )
    for state, ours in zip(STATES, found, strict=True):
        twin = WorldExplorer(**state)
        counts = twin.counts
        theirs = [
            counts.both,
            counts.either,
            int(twin.shape.sum()),
            *twin.seen.values(),
            *twin.reaches.values(),
        ]
        assert ours == [*theirs, twin.map_side, twin.object_side], state


def test_the_object_is_the_data_sets_h():
    twin = WorldExplorer(side=513, percent=70)
    side = twin.object_side
    middle = (np.arange(side) + 0.5) / side * 36 - 18  # in twentieths of the radius
    x, y = np.meshgrid((1000 * middle).astype(int), (1000 * middle).astype(int))
    inside = OUTLINES["H"](x, y, 20_000) < 0
    assert (inside != twin.shape).mean() < 0.02  # pixels on an edge may fall to either side


def test_blocks_see_what_the_quarter_presets_do():
    model = preset("quarter").model
    reaches = WorldExplorer(reach=47).reaches
    assert reaches == {blocks: reach(cascade_of(model, blocks)) for blocks in (4, 5, 6, 7)}


def cascade_of(model, blocks):
    from dataclasses import replace

    return replace(model, blocks=blocks, multi_grid=(1, 1, 1), aspp_rates=(), image_pooling=False)


@pytest.mark.parametrize(
    ("part", "whole", "words"),
    [
        (0, 10, "0%"),
        (1, 1000, "1 of 1\u202f000 pixels"),
        (999, 1000, "999 of 1\u202f000 pixels"),
        (5, 10, "50%"),
    ],
)
def test_shares_that_round_to_nothing_are_counts(part, whole, words):
    assert WorldExplorer.evaluate("wordsOfShare(part, whole)", part=part, whole=whole) == words


@pytest.mark.parametrize(
    "wrong", [{"side": 128}, {"percent": 12}, {"percent": 95}, {"output_stride": 2}, {"reach": 48}]
)
def test_impossible_values_are_refused(wrong):
    with pytest.raises(traitlets.TraitError):
        WorldExplorer(**wrong)


@pytest.mark.parametrize("state", [{}, STATES[0], STATES[-1]], ids=str)
def test_still_picture_is_whole(state):
    check_still(WorldExplorer(**state), WorldExplorer(**state))
