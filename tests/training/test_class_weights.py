"""Class weights by median frequency, counted once."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from training_runs import assert_same_run, run_to_the_end, short_run

from dlv3.config.run import RunConfig
from dlv3.data import open_dataset
from dlv3.training import checkpoint, class_weights, train
from dlv3.training.bootstrap import Bootstrapped
from dlv3.training.class_weights import counted_weights, median_frequency, pixels_of

pytestmark = pytest.mark.usefixtures("one_thread")

Whole = Callable[[RunConfig], Path]


def test_weight_is_the_median_frequency_divided_by_the_classs():
    # Class 0 has 90 of 100 + 70 of 100 pixels, class 1 has 10 of 100, class 2 has 30 of 100, class 3 none.
    counts = np.array([[90, 10, 0, 0], [70, 0, 30, 0]])
    frequencies = np.array([160 / 200, 10 / 100, 30 / 100])
    expected = [*(0.3 / frequencies), 1]
    np.testing.assert_allclose(median_frequency(counts), expected)


def test_no_labelled_pixel_at_all_weighs_nothing_differently():
    assert median_frequency(np.zeros((2, 3), dtype=np.int64)).tolist() == [1, 1, 1]


def test_pixels_of_pictures_are_counted_and_copies_count_again():
    dataset = open_dataset("scenes", "train", short_run().data)
    counts = pixels_of(dataset)
    assert counts.shape == (6, 8)
    mask = np.asarray(dataset[2][1])
    assert counts[2].tolist() == [(mask == c).sum() for c in range(8)]
    assert pixels_of(Bootstrapped(dataset, [2], copies=2)).tolist() == [
        *counts.tolist(),
        *[counts[2].tolist()] * 2,
    ]


def test_nothing_is_counted_unless_asked_for():
    assert counted_weights(short_run().training, open_dataset("scenes", "train", short_run().data)) == []


def test_weights_are_counted_once_and_a_resumed_run_takes_them_from_the_checkpoint(
    tmp_path: Path, uninterrupted: Whole, monkeypatch: pytest.MonkeyPatch
):
    config = short_run(iterations=4, class_balance="median-frequency")
    out = run_to_the_end(replace(config, training=replace(config.training, iterations=4)), tmp_path / "run")
    saved = checkpoint.load(out / "checkpoint.pt")["class_weights"]
    assert len(saved) == 8
    assert len(set(saved)) > 2

    def counted(dataset: object) -> None:
        raise AssertionError("counted again")

    monkeypatch.setattr(class_weights, "pixels_of", counted)
    longer = replace(config, training=replace(config.training, iterations=5))
    run_to_the_end(longer, out, resume=True)
    assert checkpoint.load(out / "checkpoint.pt")["class_weights"] == saved


def test_weights_change_the_training(uninterrupted: Whole):
    plain, weighted = (
        uninterrupted(short_run(iterations=2, **options))
        for options in (dict(), dict(class_weights=(1, *[3.0] * 7)))
    )
    with pytest.raises(AssertionError):
        assert_same_run(plain, weighted)


def test_number_of_weights_has_to_be_that_of_the_classes(tmp_path: Path):
    with pytest.raises(
        ValueError, match=r"training\.class_weights=\(1\.0, 2\.0\): expected 8 numbers.*background"
    ):
        train(short_run(class_weights=(1.0, 2.0)), tmp_path / "run", progress=False)
    assert not (tmp_path / "run").exists()
