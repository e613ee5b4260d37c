"""Equal trainings are shared, and rows at the paper's scale train and are scored on a folder shaped like VOC."""

from dataclasses import replace

import pytest
from voc_folder import make_voc

from dlv3.ablations import TABLES, cells, configuration, runner
from dlv3.ablations.paper.cell import TrainingCell, trained, training_key
from dlv3.config.presets import preset
from dlv3.resnet import BACKBONES


def test_equal_trainings_have_one_key_whatever_the_table_or_the_evaluation():
    def key(table, row, seed=0):
        return training_key(configuration(TABLES[table].row(row).setting, "laptop", seed))

    assert key("T1", "output stride 16") == key("T2", "resnet50 block7") == key("T3", "(1, 1, 1) block7")
    assert key("T6", "flip") == key("T5", "(1, 2, 4), image pooling") == key("T9", "batch 16")
    assert key("T6", "flip") != key("T6", "flip", seed=1)


def _shortened(cell: TrainingCell) -> TrainingCell:
    # ImageNet's weights are a download; 2 updates of 2 crops are seconds instead of days.
    training = replace(
        cell.config.training, iterations=2, batch_size=2, crop_size=65, pretrained=None, workers=0
    )
    return replace(cell, config=replace(cell.config, training=training))


@pytest.fixture
def backbones(request, monkeypatch):
    """The paper's ResNets: whole, or thin, with more than one unit only in the blocks that multi-grid is about."""
    if request.param == "whole":
        return
    for name in ("resnet50", "resnet101"):
        monkeypatch.setitem(
            BACKBONES, name, replace(BACKBONES[name], units=(1, 1, 1, 3), widths=(8, 16, 32, 64))
        )


# The whole ResNet-101 is trained once: its checkpoints alone are a gigabyte.
@pytest.mark.slow
@pytest.mark.parametrize(
    ("table", "row", "backbones"),
    [
        ("T1", "output stride 16", "thin"),
        ("T5", "(1, 2, 4), image pooling", "thin"),
        ("T8", "batch normalization not fine-tuned", "whole"),
    ],
    indirect=["backbones"],
)
def test_a_row_trains_and_is_scored_on_vocs_val(table, row, backbones, tmp_path, monkeypatch):
    make_voc(tmp_path / "data" / "voc")
    monkeypatch.chdir(tmp_path)
    [cell] = [c for c in cells(TABLES[table], "paper", 1) if c.row == row]
    [record] = runner.run([_shortened(cell)], tmp_path / "results", tmp_path / "work", progress=False)
    assert (record.split, len(record.iou)) == ("val", 21)
    assert 0 <= record.miou <= 1
    model = record.config["model"]
    assert model["backbone"] == ("resnet50" if table == "T1" else "resnet101")
    assert record.config["training"]["freeze_batch_norm"] == (table == "T8")


def test_what_only_a_training_needs_is_removed_also_after_a_kill(tmp_path):
    config = preset("tiny")
    config = replace(
        config,
        data=replace(config.data, pictures=2),
        training=replace(config.training, crop_size=33, iterations=1, validation_interval=0),
    )
    trained(config, tmp_path)
    folder = tmp_path / training_key(config)
    kept = {path.name for path in folder.iterdir()}
    assert "model.safetensors" in kept
    # As it is where a kill came between the end of the training and the removal.
    (folder / "checkpoint.pt").touch()
    (folder / "predictions").mkdir()
    trained(config, tmp_path)
    assert {path.name for path in folder.iterdir()} == kept
