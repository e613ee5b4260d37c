"""What a lesson goes on with, where the learner has not solved an exercise yet, passes that exercise's check."""

import pytest

from dlv3.course.checks import (
    lesson02,
    lesson02_networks,
    lesson04,
    lesson04_reach,
    lesson05,
    lesson10,
    lesson10_heads,
)
from dlv3.course.exercises import check

FALLBACKS = {
    "02/grow": lesson02.grown,
    "02/seen-by-gradient": lesson02.seen_pixels,
    "02/resnet-layers": lesson02_networks.resnet50_chain,
    "02/effective-side": lesson02_networks.side_of_share,
    "04/copied-weights": lesson04.block_weights,
    "04/make-cascade": lesson04.cascade_of,
    "04/cascade-plan": lesson04.plan_of,
    "04/taps-on-map": lesson04_reach.valid_taps,
    "04/reaches": lesson04_reach.can_reach,
    "05/block-rates": lesson05.rates_of,
    "05/set-multi-grid": lesson05.set_rates,
    "10/could-be-best": lesson10.candidates,
    "10/largest-rate": lesson10.largest_valid_rate,
    "10/reading": lesson10.meaning,
    "10/equal-widths": lesson10_heads.shared_widths,
    "10/cue-share": lesson10_heads.explained,
}


@pytest.mark.parametrize("name", FALLBACKS)
def test_fallback_passes_its_check(name):
    result = check(name, FALLBACKS[name])
    assert result.passed, repr(result)
