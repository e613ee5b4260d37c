"""Hard pictures are seen more often, whatever the data set."""

import numpy as np
import pytest
import torch
from PIL import Image
from voc_folder import PICTURES, make_voc

from dlv3.data import DataConfig, DataError, open_dataset
from dlv3.data.photos.voc import VOC_CLASSES, VocDataset
from dlv3.training.bootstrap import Bootstrapped, bootstrap, hard_pictures

HARD_LABELS = {VOC_CLASSES.index(name) for name in DataConfig().bootstrap_classes}


def names(dataset) -> list[str]:
    return [dataset.name(i) for i in range(len(dataset))]


def test_the_default_classes_are_the_papers():
    assert sorted(HARD_LABELS) == [2, 9, 11, 16, 18]


@pytest.mark.parametrize("copies", [1, 3])
def test_pictures_with_a_hard_class_come_again_and_no_others(tmp_path, copies):
    dataset = VocDataset(make_voc(tmp_path), "trainaug")
    longer = bootstrap(dataset, DataConfig(bootstrap_copies=copies))
    hard = [name for name in names(dataset) if PICTURES[name][0] in HARD_LABELS]
    assert hard == ["2008_000003", "2009_000002"]  # bicycle and diningtable
    assert names(longer) == names(dataset) + hard * copies
    assert torch.equal(longer[len(dataset)][1], dataset[names(dataset).index(hard[0])][1])
    assert longer.classes_in(len(dataset)) == {0, 2}
    assert (longer.num_classes, longer.classes) == (21, VOC_CLASSES)


def test_no_copies_leave_the_data_set_alone(tmp_path):
    dataset = VocDataset(make_voc(tmp_path), "train")
    assert bootstrap(dataset, DataConfig()) is dataset


def test_it_works_by_name_on_any_folder(tmp_path):
    for stem, label in (("a", 0), ("b", 1), ("c", 2)):
        for folder, array in (("images", np.zeros((2, 2, 3))), ("masks", np.full((2, 2), label))):
            (tmp_path / folder).mkdir(exist_ok=True)
            Image.fromarray(array.astype(np.uint8)).save(tmp_path / folder / f"{stem}.png")
    (tmp_path / "train.txt").write_text("a\nb\nc\n")
    (tmp_path / "val.txt").write_text("a\n")
    config = DataConfig(classes=("sky", "pole", "car"), bootstrap_copies=2, bootstrap_classes=("car", "pole"))
    with pytest.warns(UserWarning, match="are in train"):
        dataset = open_dataset(f"folder:{tmp_path}", "train", config)
    assert names(bootstrap(dataset, config)) == ["a", "b", "c", "b", "c", "b", "c"]


def test_a_class_the_data_set_does_not_have_is_named(tmp_path):
    dataset = VocDataset(make_voc(tmp_path), "train")
    with pytest.raises(
        DataError, match=r"bootstrap_classes=\('bike',\): this data set does not have 'bike'; .*bicycle"
    ):
        hard_pictures(dataset, ("bike",))


def test_copies_below_one_are_refused(tmp_path):
    dataset = VocDataset(make_voc(tmp_path), "train")
    with pytest.raises(ValueError, match="bootstrap_copies=-1: expected a whole number from 0"):
        DataConfig(bootstrap_copies=-1)
    with pytest.raises(ValueError, match="copies=0: expected a whole number of at least 1"):
        Bootstrapped(dataset, [0], copies=0)
