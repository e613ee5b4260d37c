"""All tables that `dlv3 ablate` knows, and their rows and cells at a preset."""

from collections.abc import Sequence
from typing import Any

from dlv3.ablations.cell import ONE_SCALE, Cell, one_scale_cells
from dlv3.ablations.paper import configure
from dlv3.ablations.paper.tables import TABLES
from dlv3.ablations.probes.cell import ProbeCell
from dlv3.ablations.probes.tables import PROBES
from dlv3.ablations.studies.cell import StudyCell
from dlv3.ablations.studies.tables import STUDIES
from dlv3.ablations.table import Row, Table
from dlv3.config.run import RunConfig

EVERY_TABLE: dict[str, Table[Any]] = {**TABLES, **PROBES, **STUDIES}


def tables_at(preset_name: str) -> list[Table[Any]]:
    """Return the tables that a preset has: the probes and the studies have one scale, the laptop's."""
    return list(EVERY_TABLE.values()) if preset_name == ONE_SCALE else list(TABLES.values())


def rows_at(table: Table[Any], preset_name: str) -> Sequence[Row[Any]]:
    """Return the rows of a table that differ at a preset, see `dlv3.ablations.paper.configure.rows_at`."""
    return configure.rows_at(table, preset_name) if table.name in TABLES else table.rows


def cells_of(
    table: Table[Any], preset_name: str, seeds: int, base: RunConfig | None = None
) -> Sequence[Cell[Any]]:
    """Return every row and seed of a table, seed by seed, so that a sweep that is cut short has whole tables.

    Args:
        table: one of `EVERY_TABLE`.
        preset_name: "tiny", "laptop", "quarter", "quarter-heads", "gpu" or "paper".
        seeds: how many, from 0 on.
        base: a run on other data that stands in for the preset's, see `dlv3.ablations.paper.on_folder`.

    Raises:
        ValueError: an unknown preset, or one that the table cannot be run at.
    """
    if base is not None and table.name not in TABLES:
        raise ValueError(
            f"{table.name} with --data {base.dataset}: the table is about pictures that are made for it; those for a "
            f"folder are {', '.join(TABLES)}"
        )
    if table.name in PROBES:
        return one_scale_cells(ProbeCell, table, preset_name, seeds)
    if table.name in STUDIES:
        return one_scale_cells(StudyCell, table, preset_name, seeds)
    return configure.cells(table, preset_name, seeds, base)
