"""The schedule explorer's JavaScript, run in an embedded V8, gives the rates that a training would use."""

import itertools

import pytest
import torch
import traitlets
from stills import check_still

from dlv3.course import ScheduleExplorer
from dlv3.training.schedule import learning_rate_at

STATES = [
    {"power": power, "drops": drops, "factor": factor, "warmup": warmup, "at": at}
    for power, (drops, factor), (warmup, at) in itertools.product(
        (0.1, 0.9, 1.0, 3.0), ((1, 0.1), (2, 0.5), (5, 0.2)), ((0, 0), (3, 50), (20, 99))
    )
]
ITERATIONS = [0, 1, 599, 4999, 5000, 5999, 9999, 10000, 14999, 15000, 25000, 29999]


def test_rates_are_the_ones_a_training_uses():
    drawn = ScheduleExplorer.evaluate(
        "states.map((s) => [s, iterations.map((i) => ({poly: 0.007 * SCHEDULES.poly(s, i), "
        "step: 0.007 * SCHEDULES.step(s, i)}))])",
        states=STATES,
        iterations=ITERATIONS,
    )
    for state, rates in drawn:
        configs = ScheduleExplorer(**state).configs
        for iteration, rate in zip(ITERATIONS, rates, strict=True):
            for name, config in configs.items():
                wanted = learning_rate_at(config, iteration)
                assert rate[name] == pytest.approx(wanted, rel=1e-12), (name, state, iteration)


def test_poly_is_torchs_polynomial_schedule():
    explorer = ScheduleExplorer(power=0.9)
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(()))], lr=0.007)
    schedule = torch.optim.lr_scheduler.PolynomialLR(optimizer, explorer.iterations, power=0.9)
    theirs = []
    for _ in range(500):
        theirs.append(schedule.get_last_lr()[0])
        optimizer.step()
        schedule.step()
    ours = ScheduleExplorer.evaluate(
        "at.map((i) => 0.007 * SCHEDULES.poly(s, i))", at=list(range(500)), s=explorer.state
    )
    assert ours == pytest.approx(theirs, rel=1e-9)


@pytest.mark.parametrize("state", STATES[::7], ids=str)
def test_means_it_shows_are_the_means_of_its_rates(state):
    explorer = ScheduleExplorer(**state)
    shown = ScheduleExplorer.evaluate("schedule.tiles(s).slice(2).map((tile) => tile.value)", s=state)
    assert shown == [f"{100 * explorer.means[name]:.1f}%" for name in ("poly", "step")]


@pytest.mark.parametrize("state", STATES[::5], ids=str)
def test_what_it_says_of_the_last_iterations_is_counted(state):
    explorer = ScheduleExplorer(**state)
    for name, config in explorer.configs.items():
        rates = [learning_rate_at(config, i) for i in range(config.warmup, config.iterations)]
        low = sum(rate < 0.01 * config.learning_rate for rate in rates)
        words = f"{low:,}".replace(",", "\u202f") if low else "no iteration"
        half = explorer.says().split(";")[name == "step"]
        assert words in half, (name, low, explorer.says())


def test_curves_stay_on_the_plot():
    points = ScheduleExplorer.evaluate(
        "states.flatMap((s) => ['poly', 'step'].flatMap((name) => scheduleTrace(s, name)))",
        states=STATES,
    )
    assert all(62 <= x <= 802 and 24 - 1e-9 <= y <= 274 + 1e-9 for x, y in points)


@pytest.mark.parametrize(
    "wrong",
    [{"power": 0.0}, {"power": 3.1}, {"power": 0.95}, {"drops": 0}, {"drops": 6}, {"factor": 0.3},
     {"warmup": 21}, {"at": 101}, {"at": -1}],
)  # fmt: skip
def test_impossible_values_are_refused(wrong):
    with pytest.raises(traitlets.TraitError):
        ScheduleExplorer(**wrong)


@pytest.mark.parametrize("state", [{}, STATES[0], STATES[-1], {"at": 100}], ids=str)
def test_still_picture_is_whole(state):
    check_still(ScheduleExplorer(**state), ScheduleExplorer(**state))
