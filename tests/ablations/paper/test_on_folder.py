"""The paper's tables on a folder of photos: rates for the crop, and what the folder or the options cannot have."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from photo_folder import make_photos

from dlv3.ablations import PROBES, TABLES, cells, cells_of, configuration, read, runner
from dlv3.ablations.paper.ceiling import CEILING
from dlv3.ablations.paper.configure import aspp_rates_for, base_of
from dlv3.ablations.paper.on_folder import (
    open_folder,
    records_folder,
    require_meaning,
    require_room,
    require_same_options,
)
from dlv3.ablations.report import claims_at, table_report
from dlv3.config.data import DataConfig
from dlv3.config.presets import preset
from dlv3.data import DataError

IGNORED = DataConfig(ignore=(11,))


def training(**options):
    """A schedule of two updates on the crops of 33 pixels that the photos have room for."""
    short = dict(iterations=2, batch_size=8, crop_size=33, pretrained=None, validation_interval=0)
    return replace(base_of("quarter").training, **(short | options))


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    return make_photos(tmp_path_factory.mktemp("photos") / "mine")


def opened(photos, spec="folder:mine", at="quarter", **options):
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(photos.parent)
        return open_folder(spec, at, IGNORED, training(**options))


@pytest.mark.parametrize("at", ["laptop", "quarter", "gpu", "paper"])
def test_rates_for_a_presets_own_crop_are_its_own(at):
    config = preset(at)
    assert aspp_rates_for(config.training.crop_size, config.model.backbone) == config.model.aspp_rates


def test_rates_cover_the_share_of_the_map_that_the_papers_cover():
    assert aspp_rates_for(257, "resnet17") == (12, 24, 36)
    assert aspp_rates_for(257, "resnet14") == (3, 6, 9)
    assert aspp_rates_for(33, "resnet14") == (1, 2, 3)


def test_rows_have_the_rates_batch_and_crop_that_stand_for_theirs(photos):
    base = replace(opened(photos).base, training=training(crop_size=257, batch_size=8))
    base = replace(base, model=replace(base.model, aspp_rates=aspp_rates_for(257, "resnet17")))

    def row(table, name):
        return configuration(TABLES[table].row(name).setting, "quarter", 0, base)

    assert row("T5", "(1, 2, 4), rate 24").model.aspp_rates == (12, 24, 36, 48)
    assert row("T5", "(1, 1, 1), rates 1, 1, 1").model.aspp_rates == (1, 1, 1)
    assert row("T9", "batch 4").training.batch_size == 2
    assert row("T8", "crop 321").training.crop_size == 161
    assert row("T5", "(1, 1, 1), twice the schedule").training.iterations == 4


def test_classes_and_the_lines_on_rates_and_sizes_are_the_folders(photos):
    folder = opened(photos)
    assert folder.base.model.num_classes == 3
    assert folder.base.dataset == "folder:mine" == opened(photos, "folder:./mine/").base.dataset
    assert folder.about() == (
        "folder:mine: 3 classes, 4 training pictures of up to 50×40 and 2 validation pictures. A crop of 33 gives a "
        "map of 9×9 at output stride 4: ASPP's rates are (2, 4, 6), where the paper has (6, 12, 18) on 33×33"
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(spec="voc:mine"), "--data voc:mine: expected folder:DIR"),
        (dict(at="quarter-heads"), "--data at --preset quarter-heads: expected one of tiny, laptop, quarter"),
        (dict(class_weights=(1.0, 2.0)), r"training.class_weights=\(1.0, 2.0\): expected 3 numbers"),
        (dict(crop_size=130), "--training.crop-size 130: no map of it is whole.*give 129 or 133"),
    ],
)
def test_what_cannot_be_opened_is_one_line(photos, options, message):
    with pytest.raises(ValueError, match=message):
        opened(photos, **options)


def test_a_folder_without_validation_pictures_says_how_to_name_some(tmp_path):
    folder = make_photos(tmp_path / "mine")
    (folder / "train.txt").write_text("\n".join("012345"))
    (folder / "val.txt").unlink()
    with pytest.raises(
        DataError, match=r"no val pictures; it has train: name some in val.txt, one a line, or"
    ):
        open_folder(f"folder:{folder}", "quarter", IGNORED, training())


@pytest.mark.parametrize(
    ("table", "options", "message"),
    [
        (
            "T5",
            dict(crop_size=13),
            "crop-size 13: its map has 4×4 samples, too few for ASPP's rate 4.*such as 33",
        ),
        (
            "T5",
            dict(crop_size=129),
            "of up to 50×40, are too small for ASPP's rate 24.*a smaller .*, such as 33",
        ),
        ("T5", dict(at="laptop", crop_size=65), "too small for ASPP's rate 4.*give --preset quarter"),
    ],
)
def test_too_small_for_the_rates_is_one_line(photos, table, options, message):
    folder = opened(photos, **options)
    at = options.get("at", "quarter")
    with pytest.raises(ValueError, match=message):
        require_room(folder, cells(TABLES[table], at, 1, folder.base))
    # Without ASPP there are no rates to be too large.
    require_room(folder, cells(TABLES["T2"], at, 1, folder.base))


def test_rows_without_a_meaning_are_named(photos):
    folder = opened(photos)
    with pytest.raises(
        ValueError, match="T8 batch normalization not fine-tuned, with training.pretrained None"
    ):
        require_meaning(cells(TABLES["T8"], "quarter", 1, folder.base))
    require_meaning(cells(TABLES["T8"], "quarter", 1, opened(photos, pretrained="objects").base))
    with pytest.raises(
        ValueError, match="P1 with --data folder:mine: the table is about pictures that are made"
    ):
        cells_of(PROBES["P1"], "laptop", 1, folder.base)
    with pytest.raises(
        ValueError, match="T10 train 8, evaluate 16: cannot be run with these options: training.batch"
    ):
        cells(TABLES["T10"], "quarter", 1, opened(photos, batch_size=4).base)


def test_records_of_a_folder_lie_apart():
    specs = ("folder:camvid", "folder:../my photos", "folder")
    names = [records_folder(Path("results"), spec).as_posix() for spec in specs]
    assert names == ["results/folder-camvid", "results/folder-my-photos", "results/folder-here"]


@pytest.fixture(scope="module")
def recorded(photos):
    """The folder, its records and their cells: two rows of Table 2."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(photos.parent)
        folder = open_folder("folder:mine", "quarter", IGNORED, training())
        wanted = cells(TABLES["T2"], "quarter", 1, folder.base)[:2]
        results = records_folder(photos.parent / "results", "folder:mine")
        runner.run(wanted, results, photos.parent / "work", progress=False)
        assert runner.run(wanted, results, photos.parent / "work", progress=False) == []
    return folder, results, wanted


def test_a_record_has_the_ceiling_and_the_name_that_was_given(recorded, photos):
    _, results, wanted = recorded
    records = read(results)
    assert [(r.table, r.row, r.preset, r.split) for r in records] == [
        ("T2", cell.row, "quarter", "val") for cell in wanted
    ]
    assert records[0].config["dataset"] == "folder:mine"
    assert str(photos.parent) not in json.dumps(records[0].config)
    # Noise, of which a quarter-scale map keeps nothing.
    assert 0 < records[0].groups[CEILING] < 0.6
    assert set(records[0].iou) == {"class 0", "class 1", "class 2"}


def test_report_has_the_folder_the_ceiling_and_the_papers_numbers(recorded):
    _, results, _ = recorded
    records = read(results)
    text = table_report(TABLES["T2"], records, "quarter")
    assert (
        "On the val pictures of folder:mine, 3 classes, at preset quarter: 2 iterations, crops of 33, ASPP's rates "
        "(2, 4, 6) for (6, 12, 18)."
    ) in text
    assert "|  | paper | ceiling from sampling | parameters | sees, px | mIOU | seeds |" in text
    assert f"| resnet50 block4 | 64.81 | {100 * records[0].groups[CEILING]:.1f} | " in text
    assert "| block5 beats block4 (resnet50) | mIOU | +7.33 |" in text
    # What was not run is left out.
    assert "block7" not in text
    assert {claim.score for claim in claims_at(TABLES["T5"], "laptop", photos=True)} == {"miou"}


def test_records_of_other_options_are_not_mixed_in(recorded):
    folder, results, _ = recorded
    require_same_options(folder, "quarter", results)
    longer = replace(folder, base=replace(folder.base, training=training(iterations=9)))
    with pytest.raises(
        ValueError, match=r"block4.seed0.json: was recorded with other options \(training.iterations: 2 → 9"
    ):
        require_same_options(longer, "quarter", results)
    require_same_options(longer, "laptop", results)
