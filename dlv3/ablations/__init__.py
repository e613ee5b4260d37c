"""The paper's tables as experiments: `tables` (data), `configure` (rows as runs), `runner`, `results`, `report`."""

from dlv3.ablations.configure import Cell, cells, configuration
from dlv3.ablations.report import report, table_report
from dlv3.ablations.results import Difference, Record, difference, paired_difference, read
from dlv3.ablations.runner import run
from dlv3.ablations.tables import TABLES, Claim, Row, Setting, Table

__all__ = [
    "TABLES", "Cell", "Claim", "Difference", "Record", "Row", "Setting", "Table", "cells", "configuration",
    "difference", "paired_difference", "read", "report", "run", "table_report",
]  # fmt: skip
