"""The tables as text: the paper, ours, and a verdict for each claim."""

import statistics
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from dlv3.ablations.bounds import Bounds, bounds_at
from dlv3.ablations.catalogue import EVERY_TABLE
from dlv3.ablations.configure import rows_at
from dlv3.ablations.probes import PROBES
from dlv3.ablations.results import Record, paired_difference
from dlv3.ablations.studies import STUDIES
from dlv3.ablations.tables import QUARTER, TABLES, Claim, Table


def report(records: Iterable[Record], preset_name: str) -> str:
    """Every table that has recorded runs at a preset, as Markdown."""
    records = [record for record in records if record.preset == preset_name]
    tables = tables_with_records(records, preset_name)
    if not tables:
        return f"No recorded runs at preset {preset_name}.\n"
    parts = [
        table_report(table, [r for r in records if r.table == table.name], preset_name) for table in tables
    ]
    return "\n\n".join(parts) + "\n"


def verdicts(records: Iterable[Record], preset_name: str) -> str:
    """The verdicts on the paper's claims, one a line, and how those of the other tables are shared out."""
    records = [record for record in records if record.preset == preset_name]
    found = {
        table.name: _claims(table, [r for r in records if r.table == table.name], preset_name)
        for table in tables_with_records(records, preset_name)
    }
    lines = [[name, *claim] for name, claims in found.items() if name in TABLES for claim in claims[1:]]
    head = next((["table", *claims[0]] for claims in found.values()), [])
    parts = [_grid([head, *lines])] if lines else []
    for what, tables in (("Probes", PROBES), ("Studies", STUDIES)):
        counts = Counter(claim[-1] for name in tables for claim in found.get(name, [])[1:])
        if counts:
            parts.append(
                f"{what}, {len(tables)} tables: {', '.join(f'{n} {v}' for v, n in counts.most_common())}."
            )
    return "\n\n".join(parts)


def tables_with_records(records: Iterable[Record], preset_name: str) -> list[Table]:
    """Tables that have runs at a preset, in the catalogue's order."""
    names = {record.table for record in records if record.preset == preset_name}
    return [table for name, table in EVERY_TABLE.items() if name in names]


def table_report(table: Table, records: list[Record], preset_name: str) -> str:
    """One table: a line a row with the paper's number and ours, then a line a claim with its verdict.

    The column of the paper's numbers is left out where the paper has none, and so is that of the scores that follow
    from how the pictures are made.
    """
    parts = [
        f"**{table.name}** {table.title} (section {table.section})",
        _grid(_rows(table, records, preset_name)),
        _grid(_claims(table, records, preset_name)),
    ]
    if table.note:
        parts.insert(1, table.note)
    return "\n\n".join(parts)


def _rows(table: Table, records: list[Record], preset_name: str) -> list[list[str]]:
    groups = sorted({name for record in records for name in record.groups} - {table.score})
    # A probe's pictures have no more to tell than the one score.
    scores = [table.score] if table.score != "miou" else ["miou", *groups]
    lines = [
        [
            "",
            "paper",
            "by construction",
            "ceiling from sampling",
            "by reach alone",
            *map(_name, scores),
            "seeds",
        ]
    ]
    for row in rows_at(table, preset_name):
        runs = [record for record in records if record.row == row.name]
        paper = "" if row.paper is None else f"{row.paper:.2f}"
        expected = "" if table.expected is None else f"{table.expected(row):.1f}"
        spreads = [_spread([run.score(name) for run in runs]) for name in scores]
        bounds = bounds_at(row, preset_name) if preset_name in QUARTER else Bounds()
        lines.append([row.name, paper, expected, *bounds.as_text(), *spreads, str(len(runs))])
    return lines


def claims_at(table: Table, preset_name: str) -> list[Claim]:
    """The claims whose rows a preset has. Classes that need no scene cue are all of them where the data has none."""
    names = {row.name for row in rows_at(table, preset_name)}
    claims = [claim for claim in table.claims if {claim.better, claim.worse} <= names]
    if preset_name in QUARTER:
        return [replace(claim, score="miou") if claim.score == "shapes" else claim for claim in claims]
    return claims


def _claims(table: Table, records: list[Record], preset_name: str) -> list[list[str]]:
    lines = [["claim", "score", "paper", "ours, 95% interval", "seeds", "verdict"]]
    return lines + [_claim(table, claim, records) for claim in claims_at(table, preset_name)]


def _claim(table: Table, claim: Claim, records: list[Record]) -> list[str]:
    better, worse = table.row(claim.better).paper, table.row(claim.worse).paper
    paper = "" if better is None or worse is None else f"{better - worse:+.2f}"
    found = paired_difference(
        [r for r in records if r.row == claim.better],
        [r for r in records if r.row == claim.worse],
        claim.score,
    )
    ours, seeds, verdict = "", "0", "not run"
    if found is not None:
        interval = f" [{found.low:+.1f}, {found.high:+.1f}]" if found.pairs > 1 else ""
        ours, seeds, verdict = f"{found.mean:+.1f}{interval}", str(found.pairs), found.verdict
    return [claim.text, _name(claim.score), paper, ours, seeds, verdict]


def _name(score: str) -> str:
    return "mIOU" if score == "miou" else score


def _spread(scores: list[float]) -> str:
    if not scores:
        return ""
    return f"{statistics.fmean(scores):.1f}" + (
        f" ± {statistics.stdev(scores):.1f}" if len(scores) > 1 else ""
    )


def _grid(lines: list[list[str]]) -> str:
    """A Markdown table; optional columns that are empty are left out."""
    optional = ("paper", "by construction", "ceiling from sampling", "by reach alone")
    kept = [
        column
        for column, head in enumerate(lines[0])
        if head not in optional or any(line[column] for line in lines[1:])
    ]
    head, *body = ([line[column] for column in kept] for line in lines)
    return "\n".join("| " + " | ".join(line) + " |" for line in [head, ["---"] * len(head), *body])
