"""Tables of colours, and masks that are read with them."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dlv3.data import DataConfig, DataError, open_dataset
from dlv3.data.photos.colours import read_colours
from dlv3.data.photos.images import read_mask

ROAD, SKY, OLD_SKY, VOID = (128, 64, 128), (70, 130, 180), (1, 2, 3), (0, 0, 0)
COLOURS = "128 64 128 road\n70 130 180 wide sky\n\n# an older colour\n1 2 3 wide sky\n0 0 0 void\n"
LABELMAP = "# label:color_rgb:parts:actions\nroad:128,64,128::\nwide sky:70,130,180::\nwide sky:1,2,3::\nvoid:0,0,0::\n"
CSV = "name,r,g,b\nroad,128,64,128\nwide sky,70,130,180\nwide sky,1,2,3\nvoid,0,0,0\n"
NAME_FIRST = "road 128 64 128\nwide sky\t70 130 180\nwide sky 1 2 3\nvoid 0 0 0\n"


def table(tmp_path: Path, text: str = COLOURS, name: str = "colours.txt") -> Path:
    (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path / name


@pytest.mark.parametrize("text", [COLOURS, LABELMAP, CSV, NAME_FIRST, COLOURS.replace(" ", ", ", 2)])
def test_every_kind_of_table_gives_the_classes_in_their_order(tmp_path: Path, text: str):
    found = read_colours(table(tmp_path, text))
    assert found.classes == ("road", "wide sky")
    assert dict(zip(found.colours, found.labels, strict=True)) == {ROAD: 0, SKY: 1, OLD_SKY: 1, VOID: 255}
    assert found.palette.tolist() == [list(ROAD), list(SKY)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("128 64 128 road\nsky\n", r"colours\.txt, line 2: 'sky': expected red, green and blue"),
        ("128 64 300 road\n1 2 3 sky\n", r"line 1: '128 64 300 road': expected red"),
        ("1 2 3 road\n1 2 3 sky\n", r"line 2: the colour \(1, 2, 3\) was there before"),
        ("1 2 3 road\n0 0 0 void\n", r"colours\.txt: has 1 classes; expected 2 to 255"),
        ("", r"colours\.txt: has 0 classes"),
        ("#ff0000 road\n#00ff00 sky\n", r"line 1: '#ff0000 road': expected red, green and blue \(0 to 255\)"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused_with_its_line(tmp_path: Path, text: str, message: str):
    with pytest.raises(DataError, match=message):
        read_colours(table(tmp_path, text))


def test_missing_and_binary_tables_are_named(tmp_path: Path):
    with pytest.raises(DataError, match=r"none\.txt: no such file"):
        read_colours(tmp_path / "none.txt")
    (tmp_path / "a.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match=r"a\.txt: is not a text file"):
        read_colours(tmp_path / "a.txt")


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P"])
def test_masks_in_colour_are_read_by_the_table(tmp_path: Path, mode: str):
    rgb = np.array([[ROAD, SKY, OLD_SKY, VOID]], np.uint8)
    picture = Image.fromarray(rgb)
    picture = picture.convert("P", palette=Image.Palette.ADAPTIVE) if mode == "P" else picture.convert(mode)
    picture.save(tmp_path / "mask.png")
    colours = read_colours(table(tmp_path))
    assert read_mask(tmp_path / "mask.png", colours=colours).tolist() == [[0, 1, 1, 255]]
    assert read_mask(tmp_path / "mask.png", ignore=(1,), colours=colours).tolist() == [[0, 255, 255, 255]]


def test_masks_of_black_and_white_are_read_by_the_table_too(tmp_path: Path):
    Image.fromarray(np.array([[0, 255]], np.uint8)).save(tmp_path / "mask.png")
    colours = read_colours(table(tmp_path, "0 0 0 background\n255 255 255 object\n"))
    assert read_mask(tmp_path / "mask.png", colours=colours).tolist() == [[0, 1]]


def test_a_colour_that_is_not_in_the_table_is_named_with_its_file(tmp_path: Path):
    Image.fromarray(np.array([[ROAD, (9, 9, 9), (9, 9, 9)]], np.uint8)).save(tmp_path / "mask.png")
    with pytest.raises(
        DataError, match=r"mask\.png: the colour \(9, 9, 9\) in 2 pixels is not in .*colours\.txt"
    ):
        read_mask(tmp_path / "mask.png", colours=read_colours(table(tmp_path)))


def test_masks_of_16_bits_do_not_fit_a_table(tmp_path: Path):
    Image.fromarray(np.zeros((2, 2), np.uint16)).save(tmp_path / "mask.tif")
    with pytest.raises(DataError, match=r"mask\.tif: the mask has 16 bits"):
        read_mask(tmp_path / "mask.tif", colours=read_colours(table(tmp_path)))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for part in ("images", "masks"):
        (tmp_path / part).mkdir()
    for i in range(3):
        rgb = np.array([[ROAD, SKY], [VOID, OLD_SKY]], np.uint8)
        Image.fromarray(rgb).save(tmp_path / f"images/{i}.png")
        Image.fromarray(rgb).save(tmp_path / f"masks/{i}.png")
    return tmp_path


@pytest.mark.parametrize(
    ("name", "text"), [("colours.txt", COLOURS), ("labelmap.txt", LABELMAP), ("class_dict.csv", CSV)]
)
def test_a_folder_with_a_table_is_read_by_it(folder: Path, name: str, text: str):
    table(folder, text, name)
    dataset = open_dataset(f"folder:{folder}", "train")
    assert dataset.classes == ("road", "wide sky")
    assert dataset.palette.tolist() == [list(ROAD), list(SKY)]
    assert dataset[0][1].tolist() == [[0, 1], [255, 1]]
    assert dataset.classes_in(0) == {0, 1}
    assert dataset.label_counts()[0, [0, 1, 255]].tolist() == [1, 2, 1]


def test_other_names_beside_a_table_are_refused(folder: Path):
    table(folder, COLOURS)
    (folder / "classes.txt").write_text("road\nwide sky\n")
    assert open_dataset(f"folder:{folder}", "train").classes == ("road", "wide sky")
    (folder / "classes.txt").write_text("wide sky\nroad\n")
    with pytest.raises(
        DataError, match=r"classes\.txt and .*colours\.txt name different classes, or in another"
    ):
        open_dataset(f"folder:{folder}", "train")


def test_a_table_may_be_given_and_counts_follow_it(folder: Path):
    table(folder, COLOURS, "mine.txt")
    table(folder, COLOURS.replace("1 2 3 wide sky", "1 2 3 sea"), "other.txt")
    counts = [
        open_dataset(f"folder:{folder}", "train", DataConfig(colours=name)).label_counts()[0, :3].tolist()
        for name in ("mine.txt", "other.txt")
    ]
    assert counts == [[1, 2, 0], [1, 1, 1]]


def test_two_tables_and_names_that_do_not_fit_are_refused(folder: Path):
    table(folder)
    with pytest.raises(DataError, match=r"classes=\('a',\).*colours\.txt has 2 classes"):
        open_dataset(f"folder:{folder}", "train", DataConfig(classes=("a",)))
    table(folder, LABELMAP, "labelmap.txt")
    with pytest.raises(DataError, match=r"has colours\.txt and labelmap\.txt; keep one"):
        open_dataset(f"folder:{folder}", "train")
