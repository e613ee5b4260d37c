"""The paper's tables, and probes of its mechanisms, as experiments that run.

`tables` (the paper's, as data), `configure` (their rows as runs), `probes` (tables of the small tasks),
`studies` (tables on the scenes), `catalogue` (all of them), `runner`, `results`, `report`.
"""

from dlv3.ablations.catalogue import EVERY_TABLE, cells_of
from dlv3.ablations.cell import Cell
from dlv3.ablations.paper.configure import cells, configuration
from dlv3.ablations.paper.tables import TABLES, Claim, Row, Setting, Table
from dlv3.ablations.probes.tables import PROBES
from dlv3.ablations.report import report, table_report
from dlv3.ablations.results import Difference, Record, difference, paired_difference, read
from dlv3.ablations.runner import run
from dlv3.ablations.studies.tables import STUDIES

__all__ = [
    "EVERY_TABLE", "PROBES", "STUDIES", "TABLES", "Cell", "Claim", "Difference", "Record", "Row", "Setting", "Table",
    "cells", "cells_of", "configuration", "difference", "paired_difference", "read", "report", "run",
    "table_report",
]  # fmt: skip
