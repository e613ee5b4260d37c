"""The paper's tables, and tables made like them, as experiments that run: `dlv3 ablate`.

`table` and `cell` say what every table is made of. `paper` has the paper's tables, `probes` those of tasks in which one
mechanism decides, `studies` those of heads on frozen features; `catalogue` has all of them. `runner` runs cells, and
`jobs` several of them at a time; `results` keeps their records, `report`, `plots` and `publish` show them.

To add a row or a control: name it in its table's function (`paper.tables`, `probes.tables`, `studies.tables`) with the
setting that it changes, `Row(name, None, setting)` where the paper does not have the row, and add the claims about it.
To add a table: write such a function and name it in the dictionary at the end of its file.
To add a preset: give it a name and a value in `dlv3.config.presets`, and add the name to `dlv3.cli.ablate`. What a
paper's `Setting` becomes at its scale is `paper.configure.configuration`; which rows are the same run there,
`paper.configure.rows_at`; which tables it has, `catalogue.tables_at`.
Then run `dlv3 ablate NAME --preset PRESET`, and `dlv3 ablate --publish README.md` to write the pages again.
"""

from dlv3.ablations.catalogue import EVERY_TABLE, cells_of, rows_at
from dlv3.ablations.cell import Cell
from dlv3.ablations.paper.configure import cells, configuration
from dlv3.ablations.paper.tables import TABLES, Setting
from dlv3.ablations.probes.tables import PROBES
from dlv3.ablations.report import report, table_report
from dlv3.ablations.results import Difference, Record, difference, paired_difference, read
from dlv3.ablations.runner import run
from dlv3.ablations.studies.tables import STUDIES
from dlv3.ablations.table import Claim, Row, Table

__all__ = [
    "EVERY_TABLE", "PROBES", "STUDIES", "TABLES", "Cell", "Claim", "Difference", "Record", "Row", "Setting", "Table",
    "cells", "cells_of", "configuration", "difference", "paired_difference", "read", "report", "rows_at", "run",
    "table_report",
]  # fmt: skip
