"""The tables as text: the paper, ours, and a verdict for each claim."""

import statistics
from collections.abc import Iterable

from dlv3.ablations.configure import rows_at
from dlv3.ablations.results import Record, paired_difference
from dlv3.ablations.tables import TABLES, Claim, Table


def report(records: Iterable[Record], preset_name: str) -> str:
    """Every table that has recorded runs at a preset, as Markdown."""
    records = [record for record in records if record.preset == preset_name]
    tables = [TABLES[name] for name in TABLES if any(record.table == name for record in records)]
    if not tables:
        return f"No recorded runs at preset {preset_name}.\n"
    parts = [
        table_report(table, [r for r in records if r.table == table.name], preset_name) for table in tables
    ]
    return "\n\n".join(parts) + "\n"


def table_report(table: Table, records: list[Record], preset_name: str) -> str:
    """One table: a line a row with the paper's number and ours, then a line a claim with its verdict."""
    groups = sorted({name for record in records for name in record.groups})
    head = ["", "paper", "mIOU", *groups, "seeds"]
    lines = [
        f"**{table.name}** {table.title} (section {table.section})",
        "",
        _line(head),
        _line(["---"] * len(head)),
    ]
    for row in rows_at(table, preset_name):
        runs = [record for record in records if record.row == row.name]
        scores = [_spread([run.score(name) for run in runs]) for name in ("miou", *groups)]
        lines.append(_line([row.name, f"{row.paper:.2f}", *scores, str(len(runs))]))
    lines += ["", _line(["claim", "score", "paper", "ours, 95% interval", "verdict"]), _line(["---"] * 5)]
    lines += [_claim(table, claim, records) for claim in claims_at(table, preset_name)]
    return "\n".join(lines)


def claims_at(table: Table, preset_name: str) -> list[Claim]:
    """The claims whose rows a preset has."""
    names = {row.name for row in rows_at(table, preset_name)}
    return [claim for claim in table.claims if {claim.better, claim.worse} <= names]


def _claim(table: Table, claim: Claim, records: list[Record]) -> str:
    paper = table.row(claim.better).paper - table.row(claim.worse).paper
    found = paired_difference(
        [r for r in records if r.row == claim.better],
        [r for r in records if r.row == claim.worse],
        claim.score,
    )
    ours, verdict = "", "not run"
    if found is not None:
        interval = f" [{found.low:+.1f}, {found.high:+.1f}]" if found.pairs > 1 else ""
        ours, verdict = f"{found.mean:+.1f}{interval}", found.verdict
    score = "mIOU" if claim.score == "miou" else claim.score
    return _line([claim.text, score, f"{paper:+.2f}", ours, verdict])


def _spread(scores: list[float]) -> str:
    if not scores:
        return ""
    return f"{statistics.fmean(scores):.1f}" + (
        f" ± {statistics.stdev(scores):.1f}" if len(scores) > 1 else ""
    )


def _line(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"
