"""A study's cell goes through the runner."""

import json
from dataclasses import replace

import pytest

from dlv3.ablations import STUDIES, read, runner, table_report
from dlv3.ablations.studies import features as study_features
from dlv3.ablations.studies.cell import StudyCell
from dlv3.ablations.studies.net import StudyConfig
from dlv3.data.made.scenes import SPLITS

GROUPS = {"shapes", "discs", "small", "medium", "large"}


@pytest.fixture
def few_test_pictures(monkeypatch):
    monkeypatch.setitem(SPLITS, "test", 8)
    for drawn in (study_features.features, study_features.pictures_of):
        drawn.cache_clear()
    yield
    for drawn in (study_features.features, study_features.pictures_of):
        drawn.cache_clear()


@pytest.mark.usefixtures("few_test_pictures")
def test_a_study_goes_through_the_runner_and_its_record_comes_back(tmp_path):
    few = StudyConfig(pictures=3, iterations=2, positions=16, scene_cue=True, image_pooling=True)
    cell = StudyCell("S3", "wide, short, pooling", "laptop", 0, few)
    [record] = runner.run([cell], tmp_path, tmp_path / "work", progress=False)
    assert read(tmp_path) == [record]
    assert set(record.groups) == GROUPS
    assert record.config == json.loads(json.dumps(record.config)) == cell.values()
    assert record.split == "test"
    assert {"sun", "coin"} < set(record.iou)
    assert record.groups["discs"] == pytest.approx((record.iou["sun"] + record.iou["coin"]) / 2)
    assert not runner.is_done(replace(cell, config=replace(few, iterations=3)), tmp_path)
    assert "| wide, short, pooling |" in table_report(STUDIES["S3"], [record], "laptop")
