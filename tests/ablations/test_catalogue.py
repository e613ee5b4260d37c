import pytest

from dlv3.ablations import EVERY_TABLE, PROBES, STUDIES, TABLES
from dlv3.ablations.catalogue import cells_of, rows_at, tables_at


def test_the_laptop_has_every_table_and_other_presets_the_papers():
    assert [table.name for table in tables_at("laptop")] == [*TABLES, *PROBES, *STUDIES] == list(EVERY_TABLE)
    for preset in ("tiny", "gpu", "paper"):
        assert [table.name for table in tables_at(preset)] == list(TABLES)


@pytest.mark.parametrize("name", EVERY_TABLE)
def test_cells_are_the_rows_of_the_preset_with_each_seed(name):
    table = EVERY_TABLE[name]
    cells = cells_of(table, "laptop", 2)
    rows = rows_at(table, "laptop")
    assert [(cell.seed, cell.row) for cell in cells] == [(seed, row.name) for seed in (0, 1) for row in rows]
    assert {(cell.table, cell.preset) for cell in cells} == {(name, "laptop")}
