"""The time that runs on photos will take."""

from dataclasses import replace

import pytest

from dlv3.ablations import TABLES, cells
from dlv3.ablations.paper import cost
from dlv3.ablations.paper.configure import base_of
from dlv3.ablations.paper.cost import Estimate, estimate, shown
from dlv3.config.data import DataConfig
from dlv3.data import open_dataset


@pytest.fixture
def base():
    whole = base_of("quarter")
    short = replace(whole.training, iterations=10, batch_size=8, crop_size=33, pretrained=None)
    return replace(whole, data=DataConfig(pictures=3), training=short)


def test_each_kind_of_training_is_timed_once_and_counted_where_it_is_first_needed(
    base, tmp_path, monkeypatch
):
    timed = []

    def clock(config, evaluations, train, val):
        timed.append((config.model.blocks, len(evaluations)))
        return 2.0, [5.0] * len(evaluations)

    monkeypatch.setattr(cost, "_timed", clock)
    wanted = cells(TABLES["T6"], "quarter", 2, base)[
        :5
    ]  # four evaluations of one training, and one of another seed
    found = estimate(wanted, range(3), range(4), tmp_path, progress=False)
    assert timed == [(4, 4)]
    assert found == Estimate((40.0, 20.0, 20.0, 20.0, 40.0), 2)
    assert found.total == 140
    assert found.about(2) == (
        "5 runs of 2 trainings, 20 s to 40 s each: about 70 s in all in 2 processes, if each has cores of its own"
    )
    (tmp_path / wanted[0].training_key()).mkdir()
    (tmp_path / wanted[0].training_key() / "seconds.json").touch()
    assert estimate(wanted, range(3), range(4), tmp_path, progress=False).seconds[0] == 20


def test_real_updates_are_timed_and_leave_nothing_behind(base, tmp_path):
    [cell] = cells(TABLES["T2"], "quarter", 1, base)[:1]
    pictures = open_dataset("outline", "val", base.data)
    found = estimate([cell], pictures, pictures, tmp_path, progress=False)
    assert found.total > 0
    assert found.trainings == 1
    assert not list(tmp_path.iterdir())


def test_durations_are_in_words():
    assert [shown(seconds) for seconds in (0.4, 89, 300, 9000)] == ["0 s", "89 s", "5 min", "2.5 h"]
    assert Estimate((), 0).about() == "nothing left to run"
