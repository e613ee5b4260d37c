"""Lesson 09's small trainings: the same seed gives the same score, another seed another one."""

import torch

from dlv3.course.lessons.lesson09_cascade_ablations.trainings import rows_figure, run, runs_figure, stack


def test_a_seed_is_all_that_chance_follows_from():
    first, again, other = (run((1, 1, 1), seed, updates=5) for seed in (0, 0, 1))
    assert first == again != other


def test_a_stack_reads_its_field_of_view_into_four_logits():
    side = 1 + 2 * sum((1, 2, 1))
    assert stack((1, 2, 1))(torch.zeros(2, 3, side, side)).shape == (2, 4)


def test_every_run_stands_in_the_figure():
    figure = runs_figure({(1, 1, 1): {0: 40.0, 3: 45.0}, (1, 2, 1): {0: 50.0, 3: 52.0}})
    assert sorted(text.get_text() for text in figure.axes[0].texts) == ["0", "0", "3", "3"]


def test_runs_of_nearly_one_score_do_not_hide_each_other():
    figure = runs_figure({(2, 2, 2): {0: 36.2, 1: 41.0, 2: 36.0, 3: 36.1}})
    figure.canvas.draw()
    boxes = [text.get_window_extent() for text in figure.axes[0].texts]
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])


def test_rows_are_drawn_at_the_seeds_that_all_have():
    figure = rows_figure({"a": {0: 1.0, 1: 2.0, 2: 3.0}, "b": {1: 5.0, 2: 6.0}}, "two rows")
    assert [list(line.get_xdata()) for line in figure.axes[0].lines] == [[1, 2], [1, 2]]
