"""What a lesson goes on with, where the learner has not solved an exercise yet, passes that exercise's check."""

import pytest

from dlv3.course.kit.exercises import check
from dlv3.course.lessons.lesson02_receptive_fields import checks as lesson02
from dlv3.course.lessons.lesson02_receptive_fields import checks_networks as lesson02_networks
from dlv3.course.lessons.lesson04_cascade import checks as lesson04
from dlv3.course.lessons.lesson04_cascade import checks_reach as lesson04_reach
from dlv3.course.lessons.lesson05_multi_grid import checks as lesson05
from dlv3.course.lessons.lesson10_aspp_ablations import checks as lesson10
from dlv3.course.lessons.lesson10_aspp_ablations import checks_heads as lesson10_heads

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
