"""The board of a running training shows what was recorded, moves on by itself, and never changes its size."""

import io

import matplotlib as mpl
import pytest
import torch
from PIL import Image

from dlv3.course.lessons.lesson08_training.training_board import TrainingBoard
from dlv3.data.held import Held
from dlv3.data.made.scenes import Scenes
from dlv3.figure_style import STYLE


@pytest.fixture(scope="module")
def scenes():
    return Held(Scenes("val", scene_cue=False, pictures=3))


@pytest.fixture
def board(scenes):
    return TrainingBoard(scenes, iterations=40, every=10, scenes=3)


def record(board, scenes, updates, right):
    predictions = scenes.masks.long().clone()
    predictions[:, : round(129 * (1 - right))] = 6
    board.record(updates, [1.0 + i for i in range(updates)], right, predictions)


def size(board):
    return Image.open(io.BytesIO(board.picture.value)).size, board.read_out.layout.height


def test_slider_follows_the_training_and_goes_back_through_it(board, scenes):
    pictures = [board.picture.value]
    for updates, right in ((0, 0.1), (10, 0.5), (20, 1.0)):
        record(board, scenes, updates, right)
        assert board.values["updates"] == updates
        pictures.append(board.picture.value)
    assert len(set(pictures)) == 4
    assert "mIOU 100%" in board.says()
    assert "100% of the pixels" in board.says()
    board.set(updates=10)
    assert "After 10 of 40 updates: mIOU 50%" in board.says()
    assert board.picture.value not in pictures  # the curves have grown since


def test_loss_said_is_the_mean_since_the_record_before(board, scenes):
    record(board, scenes, 10, 0.5)
    assert "loss 5.50 over the last 10" in board.says()
    record(board, scenes, 20, 0.6)
    assert "loss 15.50 over the last 10" in board.says()
    board.set(updates=10)
    assert "loss 5.50" in board.says()


def test_updates_still_to_come_show_the_last_ones_made_and_say_so(board, scenes):
    assert "Nothing is trained yet" in board.says()
    record(board, scenes, 10, 0.5)
    board.set(updates=30)
    assert "After 10 of 40" in board.says()
    assert "has not come to 30" in board.says()


def test_record_at_the_slider_redraws_and_clear_forgets(board, scenes):
    empty = board.picture.value
    record(board, scenes, 0, 0.3)
    assert board.picture.value != empty
    record(board, scenes, 10, 0.6)
    board.clear()
    assert board.values["updates"] == 0
    assert board.picture.value == empty
    assert "Nothing is trained yet" in board.says()


def test_picture_never_changes_its_size(board, scenes):
    before = size(board)
    record(board, scenes, 0, 0.1)
    record(board, scenes, 40, 0.9)
    board.set(scene=2)
    assert size(board) == before


def test_drawing_in_the_lessons_style_warns_of_nothing(scenes, recwarn):
    with mpl.rc_context(STYLE):
        board = TrainingBoard(scenes, iterations=40, every=10, scenes=3)
        for updates in (0, 10, 20):
            record(board, scenes, updates, 0.5)
    assert [str(warning.message) for warning in recwarn] == []


def test_unlabelled_pixels_are_not_counted(scenes):
    labels = Held(Scenes("val", scene_cue=False, pictures=1))
    labels.masks[0, :64] = 255
    board = TrainingBoard(labels, iterations=2, every=1, scenes=2)
    board.record(0, [], 0.5, torch.where(labels.masks == 255, 3, labels.masks).long())
    assert "100% of the pixels are right" in board.says()


def test_every_must_divide_the_training(scenes):
    with pytest.raises(ValueError, match="every=7: expected a divisor of iterations=40"):
        TrainingBoard(scenes, iterations=40, every=7)
