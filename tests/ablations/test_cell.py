"""Cells have the recorded configurations (an option younger than a record has its default) and training keys."""

import math
from pathlib import Path

import pytest

from dlv3.ablations import EVERY_TABLE, cells_of, read
from dlv3.ablations.cell import none_for_nan, without_nan
from dlv3.ablations.runner import same_configuration

RESULTS = Path(__file__).parents[2] / "data" / "results"


def test_values_of_every_recorded_cell_are_those_of_its_record():
    records = read(RESULTS)
    assert {record.table for record in records} == set(EVERY_TABLE)
    seeds = 1 + max(record.seed for record in records)
    for preset in {record.preset for record in records}:
        tables = {record.table for record in records if record.preset == preset}
        cells = {(c.table, c.row, c.seed): c for t in tables for c in cells_of(EVERY_TABLE[t], preset, seeds)}
        for record in (record for record in records if record.preset == preset):
            cell = cells[record.table, record.row, record.seed]
            assert same_configuration(cell, record.config), record.path(RESULTS)
            assert cell.split == record.split


# A sweep that was begun with an older version finds its trainings by these names.
@pytest.mark.parametrize(
    ("table", "row", "key"),
    [
        ("T1", "output stride 16", "e213a2d475f93604"),
        ("P4", "rate 24", "b50555663cd1b6fd"),
        ("S1", "rate 3", "fc22818bfeb16b44"),
    ],
)
def test_training_keys_stay_the_same(table, row, key):
    [cell] = [cell for cell in cells_of(EVERY_TABLE[table], "laptop", 1) if cell.row == row]
    assert cell.training_key() == key


@pytest.mark.parametrize("name", ["P4", "S1"])
def test_tables_of_one_scale_are_refused_elsewhere_and_give_every_row_and_seed(name):
    table = EVERY_TABLE[name]
    with pytest.raises(
        ValueError, match=f"{name} at preset gpu: the table has one scale; run it at preset laptop"
    ):
        cells_of(table, "gpu", 1)
    cells = cells_of(table, "laptop", 2)
    assert [(cell.seed, cell.row) for cell in cells] == [(s, row.name) for s in (0, 1) for row in table.rows]
    assert all(cell.config.seed == cell.seed and cell.split == "test" for cell in cells)
    assert len({cell.training_key() for cell in cells}) == len(cells)


def test_scores_of_classes_that_do_not_occur_fit_a_record():
    assert none_for_nan({"a": 0.5, "b": math.nan}) == {"a": 0.5, "b": None}
    assert without_nan({"shapes": math.nan, "discs": 0.5}) == {"discs": 0.5}
