"""What is published, and in which order."""

from dataclasses import replace

from made_records import made_record

from dlv3.ablations.scales import SCALES, sections_of
from dlv3.config.presets import preset


def test_scales_are_presets():
    for scale in SCALES:
        preset(scale.preset)


def test_the_quarter_comes_first_photos_and_others_next_and_the_contrast_last(tmp_path):
    record = made_record("T4", "flip", 0, 0.5)
    for name in ("laptop", "mine", "tiny", "quarter"):
        replace(record, preset=name).write(tmp_path)
    replace(record, preset="quarter").write(tmp_path / "folder-camvid")
    sections = sections_of(tmp_path)
    assert [s.scale.brief.partition(":")[0] for s in sections] == [
        "quarter",
        "mine",
        "quarter on camvid",
        "laptop",
        "tiny",
    ]
    assert [s.own_data for s in sections] == [True, True, False, True, True]
    assert sections[2].slug == "folder-camvid-quarter"
    assert [len(s.records) for s in sections] == [1] * 5


def test_an_empty_folder_has_no_sections(tmp_path):
    assert sections_of(tmp_path) == []
