"""Rows at the paper's scale train and are scored, on a folder shaped like VOC: only shorter and on smaller crops."""

from dataclasses import replace

import pytest
from voc_folder import make_voc

from dlv3.ablations import TABLES, cells, runner
from dlv3.ablations.paper.cell import TrainingCell


def _shortened(cell: TrainingCell) -> TrainingCell:
    # ImageNet's weights are a download; 2 updates of 2 crops are seconds instead of days.
    training = replace(
        cell.config.training, iterations=2, batch_size=2, crop_size=65, pretrained=None, workers=0
    )
    return replace(cell, config=replace(cell.config, training=training))


@pytest.mark.parametrize(
    ("table", "row"),
    [
        ("T1", "output stride 16"),
        ("T5", "(1, 2, 4), image pooling"),
        ("T8", "batch normalization not fine-tuned"),
    ],
)
def test_a_row_trains_and_is_scored_on_vocs_val(table, row, tmp_path, monkeypatch):
    make_voc(tmp_path / "data" / "voc")
    monkeypatch.chdir(tmp_path)
    [cell] = [c for c in cells(TABLES[table], "paper", 1) if c.row == row]
    [record] = runner.run([_shortened(cell)], tmp_path / "results", tmp_path / "work", progress=False)
    assert (record.split, len(record.iou)) == ("val", 21)
    assert 0 <= record.miou <= 1
    model = record.config["model"]
    assert model["backbone"] == ("resnet50" if table == "T1" else "resnet101")
    assert record.config["training"]["freeze_batch_norm"] == (table == "T8")
