"""All tables that `dlv3 ablate` knows, the paper's, the probes' and the studies', and their cells."""

from dlv3.ablations.cell import Cell
from dlv3.ablations.configure import cells
from dlv3.ablations.probes import PRESET, PROBES, probe_cells
from dlv3.ablations.studies import STUDIES
from dlv3.ablations.study_cell import study_cells
from dlv3.ablations.tables import TABLES, Table

EVERY_TABLE: dict[str, Table] = {**TABLES, **PROBES, **STUDIES}


def tables_at(preset_name: str) -> list[Table]:
    """The tables that a preset has: the probes and the studies have one scale, the laptop's."""
    return list((EVERY_TABLE if preset_name == PRESET else TABLES).values())


def cells_of(table: Table, preset_name: str, seeds: int) -> list[Cell]:
    """Every row and seed of a table, seed by seed, so that a sweep cut short has whole tables.

    Args:
        table: one of `EVERY_TABLE`.
        preset_name: "tiny", "laptop", "quarter", "gpu" or "paper".
        seeds: how many, from 0 on.

    Raises:
        ValueError: no such preset, or none that the table can be run at.
    """
    if table.name in PROBES:
        return list(probe_cells(table, preset_name, seeds))
    if table.name in STUDIES:
        return list(study_cells(table, preset_name, seeds))
    return list(cells(table, preset_name, seeds))
