"""VOC 2012 and SBD: splits, masks of both kinds, and what is said where something is missing."""

import os
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from torchvision import tv_tensors
from torchvision.datasets import SBDataset, VOCSegmentation
from voc_folder import PICTURES, make_voc, sbd_mask, voc_mask

from dlv3.data import DataConfig, DataError, open_dataset
from dlv3.data.palette import voc_palette
from dlv3.data.photos.voc import VOC_CLASSES, VocDataset

REAL = os.environ.get("DLV3_VOC")


def names(dataset) -> list[str]:
    return [dataset.name(i) for i in range(len(dataset))]


@pytest.fixture
def voc(tmp_path: Path) -> Path:
    return make_voc(tmp_path)


@pytest.mark.parametrize("split", ["train", "val", "trainval"])
def test_a_split_is_vocs_list_with_the_masks_torchvision_reads(voc, split):
    dataset, reference = VocDataset(voc, split), VOCSegmentation(voc, image_set=split)
    assert names(dataset) == [n for n, (_, v, _) in PICTURES.items() if v and (split in (v, "trainval"))]
    for (image, mask), (photo, labels) in zip(
        (dataset[i] for i in range(len(dataset))), reference, strict=True
    ):
        assert isinstance(image, tv_tensors.Image)
        assert isinstance(mask, tv_tensors.Mask)
        assert np.array_equal(image.permute(1, 2, 0), photo)
        assert np.array_equal(mask, labels)


def test_trainaug_is_the_union_less_vocs_val_each_picture_once(voc):
    train = {n for n, (_, v, _) in PICTURES.items() if v == "train"}
    val = {n for n, (_, v, _) in PICTURES.items() if v == "val"}
    sbd = {n for n, (_, _, s) in PICTURES.items() if s}
    assert sbd & val  # or leaving val out would prove nothing
    assert sbd & train  # nor would counting doubles once
    found = names(VocDataset(voc, "trainaug"))
    assert found == sorted((train | sbd) - val)
    assert not set(found) & set(names(VocDataset(voc, "val")))


def test_vocs_own_mask_wins_with_its_border_and_sbds_serves_the_rest(voc):
    dataset = VocDataset(voc, "trainaug")
    for i, (_, mask) in enumerate(dataset[i] for i in range(len(dataset))):
        label, voc_split, _ = PICTURES[dataset.name(i)]
        assert np.array_equal(mask, voc_mask(label) if voc_split else sbd_mask(label))
        assert dataset.classes_in(i) == {0, label}
    assert (dataset[0][1] == 255).sum() == 30 - 12


def test_sbd_masks_are_those_torchvision_reads(voc):
    dataset, reference = VocDataset(voc, "trainaug"), SBDataset(voc / "sbd", "train", mode="segmentation")
    index = names(dataset).index("2008_000002")
    image, mask = dataset[index]
    photo, labels = reference[0]
    assert np.array_equal(image.permute(1, 2, 0), photo)
    assert np.array_equal(mask, labels)
    assert (mask.dtype, type(mask)) == (torch.uint8, tv_tensors.Mask)


def test_classes_and_palette_are_vocs(voc):
    dataset = VocDataset(voc, "train")
    assert dataset.num_classes == len(VOC_CLASSES) == 21
    assert [VOC_CLASSES[i] for i in (0, 2, 9, 11, 15, 16, 18, 20)] == [
        *("background", "bicycle", "chair", "diningtable", "person", "pottedplant", "sofa", "tvmonitor")
    ]
    assert np.array_equal(dataset.palette, voc_palette(21))


def test_open_dataset_trains_on_what_the_configuration_says(voc):
    spec = f"voc:{voc}"
    assert len(open_dataset(spec, "train")) == 5
    assert len(open_dataset(spec, "train", DataConfig(voc_train="train"))) == 3
    assert len(open_dataset(spec, "train", DataConfig(voc_train="trainval"))) == 6
    assert len(open_dataset(spec, "val")) == 3
    (voc / "sbd").rename(voc / "elsewhere")
    assert len(open_dataset(spec, "train", DataConfig(sbd=str(voc / "elsewhere")))) == 5


def test_it_travels_to_loader_workers(voc):
    dataset = VocDataset(voc, "trainaug")
    assert torch.equal(pickle.loads(pickle.dumps(dataset))[2][1], dataset[2][1])


def test_train_and_val_do_without_sbd(tmp_path):
    make_voc(tmp_path, sbd=False)
    assert len(VocDataset(tmp_path, "train")) == 3
    with pytest.raises(DataError, match=r"sbd: no such folder; fetch it with `dlv3 data voc --root .*`"):
        VocDataset(tmp_path, "trainaug")


def cut(path: str):
    def damage(root: Path) -> None:
        whole = (root / path).read_bytes()
        (root / path).write_bytes(whole[: len(whole) // 2])

    return damage


@pytest.mark.parametrize(
    ("damage", "split", "message"),
    [
        (lambda root: None, "test", "labels of VOC's test split are not public; evaluate on val"),
        (lambda root: None, "all", "split='all' of VOC: expected one of train, val"),
        (
            lambda root: (root / "VOCdevkit").rename(root / "x"),
            "val",
            "no VOC 2012 here; expected VOCdevkit/VOC2012/",
        ),
        (
            lambda root: (root / "VOCdevkit/VOC2012/ImageSets/Segmentation/val.txt").unlink(),
            "val",
            r"ImageSets/Segmentation/val\.txt; fetch it with `dlv3 data voc",
        ),
        (
            lambda root: (root / "VOCdevkit/VOC2012/JPEGImages/2009_000001.jpg").unlink(),
            "val",
            r"2009_000001\.jpg: is listed but does not exist \(1 such files\)",
        ),
        (lambda root: (root / "sbd/train.txt").unlink(), "trainaug", r"no SBD here, .* cls/ and train\.txt"),
        (
            lambda root: (root / "sbd/cls/2008_000002.mat").unlink(),
            "trainaug",
            r"2008_000002\.mat: is listed but does not exist",
        ),
    ],
)
def test_what_is_missing_is_named_when_the_split_is_opened(voc, damage, split, message):
    damage(voc)
    with pytest.raises(DataError, match=message) as caught:
        VocDataset(voc, split)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("file", ["sbd/cls/2008_000002.mat", "sbd/img/2008_000002.jpg"])
def test_a_broken_file_is_named_when_it_is_read(voc, file):
    cut(file)(voc)
    dataset = VocDataset(voc, "trainaug")
    with pytest.raises(DataError, match=rf"{Path(file).name}: broken or "):
        dataset[names(dataset).index("2008_000002")]


def test_an_unknown_year_is_named(voc):
    with pytest.raises(DataError, match="1999"):
        VocDataset(voc, "val", year="1999")


@pytest.mark.skipif(not REAL, reason="no VOC 2012 and SBD here (DLV3_VOC)")
def test_the_real_splits_have_the_published_sizes():
    sizes = {split: len(VocDataset(REAL, split)) for split in ("train", "val", "trainval", "trainaug")}
    assert sizes == {"train": 1_464, "val": 1_449, "trainval": 2_913, "trainaug": 10_582}
