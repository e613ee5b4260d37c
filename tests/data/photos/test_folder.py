"""A folder of pictures and masks: its layouts, splits and classes, and one clear line for each thing wrong with it."""

import os
import pickle
import subprocess
import sys
import unicodedata
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision import tv_tensors

from dlv3.data import DataConfig, DataError, open_dataset

CAMVID = Path(os.environ.get("DLV3_CAMVID", Path(__file__).parents[4] / "shared" / "camvid"))
needs_camvid = pytest.mark.skipif(
    not (CAMVID / "train.txt").is_file(), reason="CamVid is not here (DLV3_CAMVID)"
)


def put(path: Path, array: np.ndarray, **options) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path, **options)


def add(
    root: Path, stem: str, labels: object = ((0, 1), (2, 255)), images: str = "images", masks: str = "masks"
):
    """One picture and its mask; the picture's red is its label, so that mixed-up pairs are seen."""
    mask = np.array(labels, dtype=np.uint8)
    put(root / images / f"{stem}.png", np.dstack([mask, mask, mask]))
    put(root / masks / f"{stem}.png", mask)


def names(dataset) -> list[str]:
    return [dataset.name(i) for i in range(len(dataset))]


def open_all(root: Path, split: str = "train", **options):
    return open_dataset(f"folder:{root}", split, DataConfig(**options))


@pytest.fixture
def ten(tmp_path: Path) -> Path:
    for i in range(10):
        add(tmp_path, f"{i:02}", [[i % 3, 255], [0, 1]])
    return tmp_path


def test_samples_are_what_every_data_set_gives(ten):
    dataset = open_all(ten)
    for i in range(len(dataset)):
        image, mask = dataset[i]
        assert isinstance(image, tv_tensors.Image)
        assert isinstance(mask, tv_tensors.Mask)
        assert (image.dtype, mask.dtype) == (torch.uint8, torch.uint8)
        assert (image.shape, mask.shape) == ((3, 2, 2), (2, 2))
        assert torch.equal(image[0], mask)
        assert dataset.classes_in(i) == frozenset(mask.unique().tolist()) - {255}
    assert dataset.num_classes == 3
    assert dataset.classes == ("class 0", "class 1", "class 2")
    assert dataset.palette.shape == (3, 3)


def test_lists_name_the_splits_with_or_without_suffix(ten):
    (ten / "train.txt").write_text("03\n01.png\n\n")
    (ten / "val.txt").write_text("\ufeff02\r\n", encoding="utf-8")
    assert names(open_all(ten, "train")) == ["03", "01"]
    assert names(open_all(ten, "val")) == ["02"]


def test_one_list_leaves_the_rest_to_the_other_split(ten):
    (ten / "val.txt").write_text("02\n07\n")
    assert names(open_all(ten, "train")) == [f"{i:02}" for i in range(10) if i not in (2, 7)]


def test_without_lists_every_fifth_by_hash_validates(ten):
    train, val = names(open_all(ten, "train")), names(open_all(ten, "val"))
    assert len(val) == 2
    assert sorted(train + val) == [f"{i:02}" for i in range(10)]
    assert val == ["01", "03"]  # the rule is the same on every machine and in every release


def test_sub_folders_are_part_of_the_name_and_may_be_the_splits(tmp_path):
    add(tmp_path, "train/a/1", [[1, 0]])
    add(tmp_path, "train/b/1", [[2, 0]])
    add(tmp_path, "val/1", [[3, 0]])
    train, val = open_all(tmp_path, "train"), open_all(tmp_path, "val")
    assert names(train) == ["train/a/1", "train/b/1"]
    assert names(val) == ["val/1"]
    assert [train.classes_in(i) for i in range(2)] == [{0, 1}, {0, 2}]
    assert train.num_classes == val.num_classes == 4  # counted over all splits


@pytest.mark.parametrize(
    ("train", "val", "masks"),
    [("train", "valid", "val"), ("Train", "Validation", "validation"), ("training", "VAL", "VAL")],
)
def test_usual_names_of_splits_are_understood_in_any_case(tmp_path, train, val, masks):
    add(tmp_path, "x", [[0, 1]], images=f"images/{train}", masks=f"masks/{train}")
    add(tmp_path, "x", [[0, 2]], images=f"images/{val}", masks=f"masks/{masks}")
    assert names(open_all(tmp_path, "train")) == ["train/x"]
    assert open_all(tmp_path, "train").classes_in(0) == {0, 1}
    assert names(open_all(tmp_path, "val")) == ["val/x"]
    assert open_all(tmp_path, "val").classes_in(0) == {0, 2}


def test_usual_names_of_lists_and_of_annotated_folders_are_understood(ten, tmp_path_factory):
    (ten / "Validation.txt").write_text("02\n07\n")
    assert names(open_all(ten, "val")) == ["02", "07"]
    other = tmp_path_factory.mktemp("annotated")
    for split in ("Train", "valid"):
        add(other, "x", [[0, 1]], images=split, masks=f"{split}annot")
    assert len(open_all(other, "train")) == len(open_all(other, "val")) == 1


@pytest.mark.parametrize(
    "folders",
    [
        ("train", "val2017"),
        ("train", "holdout"),
        ("train", "val", "more"),
        ("train", "val", ""),
        ("val", "test"),
        ("train", "val", "valid"),
        ("berlin/train", "berlin/val"),
    ],
)
def test_sub_folders_that_look_like_splits_and_are_not_understood_are_refused(tmp_path, folders):
    for i, folder in enumerate(folders):
        add(tmp_path, f"{folder}/{i}".lstrip("/"), [[0, 1]])
    with pytest.raises(DataError, match=r"images: sub-folders look like splits \(.*rename them, or list"):
        open_all(tmp_path)
    (tmp_path / "train.txt").write_text(f"{folders[0]}/0")
    assert len(open_all(tmp_path, "val")) == len(folders) - 1


@pytest.mark.parametrize("folders", [("trains", "valleys"), ("device", "estate")])
def test_sub_folders_that_only_begin_like_splits_are_ordinary(tmp_path, folders):
    for i in range(6):
        add(tmp_path, f"{folders[i % 2]}/{i}", [[0, 1]])
    assert len(open_all(tmp_path)) + len(open_all(tmp_path, "val")) == 6


def test_two_files_of_one_split_and_a_val_folder_without_masks_are_refused(ten, tmp_path_factory):
    (ten / "val.txt").write_text("02\n")
    (ten / "valid.txt").write_text("03\n")
    with pytest.raises(DataError, match=r"both list the val split"):
        open_all(ten)
    other = tmp_path_factory.mktemp("annotated")
    add(other, "x", [[0, 1]], images="train", masks="trainannot")
    add(other, "x", [[0, 1]], images="val", masks="val_labels")
    with pytest.raises(DataError, match=r"val: no folder valannot with its masks beside it"):
        open_all(other)


def test_a_list_with_an_unknown_name_of_a_split_is_reported(ten):
    (ten / "train_ids.txt").write_text("02\n")
    with pytest.warns(UserWarning, match=r"train_ids\.txt: looks like the list of a split, and is not read"):
        open_all(ten)


def test_pictures_in_two_splits_are_reported_for_folders_too(tmp_path):
    for i in range(2):
        add(tmp_path, str(i), [[0, 1]], images="photos")
    options = {"train_images": "photos", "train_masks": "masks", "val_images": "photos", "val_masks": "masks"}
    with pytest.warns(
        UserWarning, match="2 pictures are in train and in val, the first: 0; .* new pictures$"
    ):
        open_all(tmp_path, **options)


def test_pictures_of_kinds_that_are_not_read_are_counted(ten):
    (ten / "images/a.HEIC").write_bytes(b"x")
    (ten / "images/b.gif").write_bytes(b"x")
    with pytest.warns(UserWarning, match=r"images: 2 files of kinds that are not read \(\.gif, \.heic\)"):
        open_all(ten)


@pytest.mark.parametrize(("picture", "mask"), [("NFC", "NFD"), ("NFD", "NFC")])
def test_both_spellings_of_an_accent_are_one_name(tmp_path, picture, mask):
    for i in range(2):
        put(
            tmp_path / "images" / f"{unicodedata.normalize(picture, 'é')}{i}.png",
            np.zeros((2, 2, 3), np.uint8),
        )
        put(tmp_path / "masks" / f"{unicodedata.normalize(mask, 'é')}{i}.png", np.eye(2, dtype=np.uint8))
    (tmp_path / "train.txt").write_text(unicodedata.normalize(mask, "é0"), encoding="utf-8")
    (tmp_path / "val.txt").write_text(unicodedata.normalize(picture, "é1.png"), encoding="utf-8")
    assert names(open_all(tmp_path)) == [unicodedata.normalize("NFC", "é0")]
    assert open_all(tmp_path, "val").classes_in(0) == {0, 1}


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes")
def test_pipes_and_links_in_a_circle_end(ten):
    (ten / "images/circle").symlink_to(ten / "images", target_is_directory=True)
    os.mkfifo(ten / "images/pipe.png")
    assert len(open_all(ten)) + len(open_all(ten, "val")) == 10


def test_four_folders_may_lie_anywhere(tmp_path):
    for split, label in (("train", 1), ("val", 2)):
        add(tmp_path, "x", [[0, label]], images=f"photos/{split}", masks=f"labels-{split}")
    options = {"train_images": "photos/train", "train_masks": "labels-train"}
    options |= {"val_images": str(tmp_path / "photos/val"), "val_masks": "labels-val"}
    assert open_all(tmp_path, "train", **options).classes_in(0) == {0, 1}
    assert open_all(tmp_path, "val", **options).classes_in(0) == {0, 2}


def test_bare_folder_means_the_working_directory(ten, monkeypatch):
    monkeypatch.chdir(ten)
    options = DataConfig(train_images="images", train_masks="masks", val_images="images", val_masks="masks")
    assert len(open_dataset("folder", "val", options)) == 10


def test_classes_come_from_the_configuration_a_file_or_the_masks(ten):
    assert open_all(ten, num_classes=5).num_classes == 5
    assert open_all(ten, classes=("sky", "road", "car")).classes == ("sky", "road", "car")
    (ten / "classes.txt").write_text("a\nb\nc\nd\n")
    assert open_all(ten).classes == ("a", "b", "c", "d")


def test_ignored_values_are_no_class_and_become_255(tmp_path):
    for i in range(5):
        add(tmp_path, str(i), [[0, 1], [11, 255]])
    dataset = open_all(tmp_path, ignore=(11,))
    assert dataset.num_classes == 2
    assert dataset[0][1].tolist() == [[0, 1], [255, 255]]
    assert open_all(tmp_path).num_classes == 12


def test_a_changed_mask_is_counted_again(ten):
    assert open_all(ten).num_classes == 3
    add(ten, "04", [[6, 255], [0, 1]])
    assert open_all(ten).num_classes == 7


def test_hidden_and_foreign_files_are_passed_over(ten):
    (ten / "images" / ".DS_Store").write_bytes(b"x")
    (ten / "images" / ".hidden.png").write_bytes(b"x")
    (ten / "images" / "notes.txt").write_text("x")
    (ten / "masks" / ".cache").mkdir()
    add(ten, "../masks/.cache/5", images="x", masks=".")
    assert len(open_all(ten)) + len(open_all(ten, "val")) == 10


def test_capital_suffixes_and_mixed_formats_pair_up(tmp_path):
    for stem, suffix in (("a", "JPG"), ("b", "jpeg"), ("c", "webp"), ("d", "PNG")):
        put(tmp_path / "images" / f"{stem}.{suffix}", np.zeros((4, 6, 3), np.uint8))
        put(tmp_path / "masks" / f"{stem}.PNG", np.ones((4, 6), np.uint8))
    (tmp_path / "train.txt").write_text("a\nb\nc\nd\n")
    (tmp_path / "val.txt").write_text("d\n")
    with pytest.warns(
        UserWarning, match=r"1 pictures are in train and in val, the first: d; .*; mend val\.txt$"
    ):
        dataset = open_all(tmp_path)
    assert [dataset[i][0].shape for i in range(4)] == [(3, 4, 6)] * 4


def test_the_data_set_travels_to_loader_workers(ten):
    dataset = open_all(ten)
    again = pickle.loads(pickle.dumps(dataset))
    assert names(again) == names(dataset)
    assert torch.equal(again[0][1], dataset[0][1])


def test_negative_indices_mean_the_same_in_all_methods(ten):
    dataset = open_all(ten)
    assert dataset.name(-1) == dataset.name(len(dataset) - 1)
    assert dataset.classes_in(-1) == dataset.classes_in(len(dataset) - 1)
    with pytest.raises(IndexError):
        dataset.classes_in(len(dataset))


def remove(*paths: str):
    return lambda root: [(root / path).unlink() for path in paths]


def write(path: str, text: str):
    return lambda root: (root / path).write_text(text)


def clear(folder: str):
    return lambda root: [file.unlink() for file in (root / folder).iterdir()]


def as_jpeg(root: Path) -> None:
    for file in (root / "masks").iterdir():
        Image.open(file).save(file.with_suffix(".jpg"))
        file.unlink()


def relabel(old: int, new: int):
    def change(root: Path) -> None:
        for file in (root / "masks").iterdir():
            mask = np.array(Image.open(file))
            put(file, np.where(mask >= old, new, mask).astype(np.uint8))

    return change


@pytest.mark.parametrize(
    ("damage", "options", "message"),
    [
        (lambda root: (root / "masks").rename(root / "labels"), {}, "has neither images/ and masks/ nor"),
        (clear("images"), {}, r"images: no picture in it \(\.jpg"),
        (clear("masks"), {}, r"masks: no mask in it \(\.png, \.tif, \.tiff\)$"),
        (as_jpeg, {}, "10 files of other kinds lose or change labels: save them as PNG"),
        (remove("masks/04.png", "masks/07.png"), {}, r"04\.png: no mask for it in .*masks \(2 of 10"),
        (
            lambda root: put(root / "images/04.jpg", np.zeros((2, 2, 3), np.uint8)),
            {},
            r"04\.(jpg|png) have the same name",
        ),
        (write("train.txt", "03\n99\n"), {}, r"train\.txt: no picture '99', which is listed"),
        (write("train.txt", "03\n03\n"), {}, "'03' is listed twice"),
        (write("train.txt", "\n"), {}, r"train\.txt: is empty"),
        (lambda root: (root / "train.txt").write_bytes(b"\xff\xfe\x00"), {}, "not a text file"),
        (relabel(0, 255), {}, "no labelled pixel in 10 masks"),
        (relabel(1, 255), {}, "only class 0, and 255"),
        (relabel(1, 128), {}, "the labels 0, 128 look like grey levels"),
        (lambda root: None, {"classes": ("a",)}, "classes: names 1 classes; expected 2 to 255"),
        (write("classes.txt", "\n"), {}, r"classes\.txt: is empty; expected one name a line"),
        (write("classes.txt", "a\nb\na\n"), {}, r"classes\.txt: names 'a' twice"),
        (lambda root: None, {"classes": ("a", "b", "b")}, "classes: names 'b' twice"),
        (write("classes.txt", "object\n"), {}, r"classes\.txt: names 1 classes; .* background and object"),
        (relabel(1, 30), {}, "the labels 0, 30 look like grey levels"),
        (
            lambda root: None,
            {"num_classes": 5, "classes": ("a", "b")},
            "num_classes=5: 2 classes are named",
        ),
        (lambda root: None, {"train_images": "images"}, "train_masks is missing; give both"),
        (lambda root: None, {"train_images": "gone", "train_masks": "masks"}, "gone: no such folder"),
        (lambda root: None, {"val_images": "images", "val_masks": "masks"}, "no train pictures; it has val"),
    ],
)
def test_a_folder_that_does_not_fit_is_refused_in_one_line(ten, damage, options, message):
    damage(ten)
    with pytest.raises(DataError, match=message) as caught:
        open_all(ten, **options)
    assert "\n" not in str(caught.value)


def test_no_such_folder_is_named(tmp_path):
    with pytest.raises(DataError, match="nowhere: no such folder"):
        open_all(tmp_path / "nowhere")


def test_a_split_that_is_not_there_is_named(ten):
    with pytest.raises(DataError, match="no test pictures; it has train, val"):
        open_all(ten, "test")


def test_a_mask_without_a_picture_is_reported_and_left_out(ten):
    (ten / "images/04.png").unlink()
    with pytest.warns(UserWarning, match=r"1 of 10 masks have no picture in .*images, the first: 04\.png"):
        dataset = open_all(ten)
    assert "04" not in names(dataset)


def test_masks_that_lists_leave_out_are_no_reason_to_warn(ten):
    (ten / "train.txt").write_text("03\n01\n")
    (ten / "val.txt").write_text("02\n")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(open_all(ten)) == 2


def test_a_label_out_of_range_is_named_with_its_file(ten):
    dataset = open_all(ten, num_classes=2)
    index = next(i for i in range(len(dataset)) if int(dataset.name(i)) % 3 == 2)
    expected = rf"{dataset.name(index)}\.png: label 2 in 1 pixels; the 2 classes are 0 to 1"
    with pytest.raises(DataError, match=expected):
        dataset[index]
    with pytest.raises(DataError, match=expected):
        dataset.classes_in(index)


def test_a_colour_mask_is_refused_where_classes_are_counted_and_where_it_is_read(ten):
    put(ten / "masks/04.png", np.zeros((2, 2, 3), np.uint8))
    with pytest.raises(DataError, match=r"04\.png: the mask has 3 channels"):
        open_all(ten)
    dataset = open_all(ten, num_classes=3)
    with pytest.raises(DataError, match=r"04\.png: the mask has 3 channels"):
        dataset[names(dataset).index("04")]


def test_a_pair_of_two_sizes_is_refused(ten):
    put(ten / "images/04.png", np.zeros((2, 3, 3), np.uint8))
    dataset = open_all(ten)
    with pytest.raises(DataError, match=r"04\.png: the mask is 2×2 pixels and its picture .*04\.png 3×2"):
        dataset[names(dataset).index("04")]


@pytest.mark.parametrize(
    "spec", ["", "nothing", "scenes:x", "markers", "markers:two", "voc", "voc:", "http://x"]
)
def test_an_unknown_data_set_is_refused_with_the_known_ones(spec):
    with pytest.raises(DataError, match="expected one of scenes, outline, heads, markers:one"):
        open_dataset(spec, "train")


def test_an_unknown_split_is_refused(ten):
    with pytest.raises(DataError, match="split='validation': expected one of train, val, test"):
        open_all(ten, "validation")


def test_importing_the_package_loads_neither_torchvision_nor_pillow():
    code = "import sys, dlv3.data; print(sorted({'torchvision', 'PIL', 'scipy'} & sys.modules.keys()))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


@needs_camvid
def test_camvid_opens_by_its_folder_alone():
    train, val = (open_all(CAMVID, split, ignore=(11,)) for split in ("train", "val"))
    assert (len(train), len(val), train.num_classes, val.num_classes) == (367, 101, 11, 11)
    image, mask = val[0]
    assert image.shape == (3, 360, 480)
    assert mask.shape == (360, 480)
    assert set(mask.unique().tolist()) <= {*range(11), 255}
    assert names(train) == (CAMVID / "train.txt").read_text().split()


@needs_camvid
def test_camvid_opens_by_its_four_folders():
    folders = {
        "train_images": "train",
        "train_masks": "trainannot",
        "val_images": "val",
        "val_masks": "valannot",
    }
    train = open_all(CAMVID, "train", ignore=(11,), num_classes=11, **folders)
    assert names(train) == sorted((CAMVID / "train.txt").read_text().split())
    assert train.classes_in(0) <= set(range(11))


@pytest.mark.parametrize("name", ["train.txt", "Val.txt", "classes.txt", "colours.txt"])
def test_a_list_behind_a_broken_link_is_refused_and_not_passed_over(tmp_path, name):
    (tmp_path / name).symlink_to(tmp_path / "unmounted" / name)
    for part in ("images", "masks"):
        (tmp_path / part).mkdir()
    Image.new("RGB", (4, 4)).save(tmp_path / "images/a.png")
    Image.new("L", (4, 4)).save(tmp_path / "masks/a.png")
    with pytest.raises(OSError, match=rf"{name}: not a file that can be read"):
        open_dataset(f"folder:{tmp_path}", "train")
