"""The lesson's sample folder: masks fit their photos except the spoilt ones, and nothing hides the face."""

import numpy as np
import pytest
from PIL import Image

from dlv3.course.lessons.lesson13_real_photos import sample_folder
from dlv3.course.lessons.lesson13_real_photos.checks_folder import problems_in
from dlv3.data import DataConfig, DataError, open_dataset


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("from_tool")
    sample_folder.make(root)
    return root


def test_exactly_the_files_that_are_named_are_wrong(folder):
    allowed = {*sample_folder.TOOL_NUMBERS, sample_folder.CANNOT_TELL}
    assert problems_in(folder, allowed) == sample_folder.SPOILT


def test_library_refuses_the_folder(folder):
    with pytest.raises(DataError, match=r"train_05\.jpg: no mask"):
        open_dataset(f"folder:{folder}", "train")


def test_library_reads_every_good_file(tmp_path):
    sample_folder.make(tmp_path)
    (tmp_path / "classes.txt").unlink()  # the tool's numbers are not classes yet
    names = (tmp_path / "train.txt").read_text().split()
    good = [name for name in names if name not in sample_folder.SPOILT]
    (tmp_path / "train.txt").write_text("\n".join(good))
    config = DataConfig(ignore=(sample_folder.CANNOT_TELL,), num_classes=41)
    for split, count in (("train", len(good)), ("val", sample_folder.VAL)):
        dataset = open_dataset(f"folder:{tmp_path}", split, config)
        assert len(dataset) == count
        seen = {int(label) for i in range(count) for label in np.unique(dataset[i][1])}
        assert seen == {*sample_folder.TOOL_NUMBERS, 255}


def test_same_folder_every_time_and_other_pictures_in_each_split(folder, tmp_path):
    sample_folder.make(tmp_path)
    for name in ("images/train_00.jpg", "masks/val_03.png", "train.txt"):
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes()
    assert not np.array_equal(sample_folder.draw(0, "train")[0], sample_folder.draw(0, "val")[0])


def test_photo_is_the_real_one_where_nothing_is_stuck_on():
    photo = np.asarray(Image.fromarray(sample_folder.colour_photo()))
    assert photo.shape == (600, 512, 3)
    bare = [numbers == 0 for _, numbers in (sample_folder.draw(i, "train") for i in range(20))]
    assert all(mask.mean() > 0.4 for mask in bare)


def test_no_shape_touches_the_face():
    for i in range(60):
        stream = sample_folder.RandomStream(7, i)
        left, top = stream.below(3000), stream.below(3000)
        face = (left, top, left + 3000, top + 3500)
        for x, y, radius in sample_folder._places(stream, face):
            nearest = (min(max(x, face[0]), face[2]), min(max(y, face[1]), face[3]))
            assert (x - nearest[0]) ** 2 + (y - nearest[1]) ** 2 > radius**2


def test_outlines_carry_no_label():
    _, numbers = sample_folder.draw(0, "train")
    down = (numbers[1:] != numbers[:-1]) & (numbers[1:] != 99) & (numbers[:-1] != 99)
    assert (numbers == sample_folder.CANNOT_TELL).any()
    assert not down.any(), "two classes touch without a border between them"
