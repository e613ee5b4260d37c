"""The tables as text: the paper, ours, and a verdict for each claim."""

import statistics
from collections import Counter
from collections.abc import Iterable

from dlv3 import markdown
from dlv3.ablations.catalogue import EVERY_TABLE
from dlv3.ablations.paper.configure import rows_at
from dlv3.ablations.paper.tables import TABLES, Claim, Table
from dlv3.ablations.probes.tables import PROBES
from dlv3.ablations.results import Record, paired_difference
from dlv3.ablations.studies.tables import STUDIES

CLAIM_HEAD = ["claim", "score", "paper", "ours, 95% interval", "seeds", "verdict"]


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
    """Return every verdict on the paper's claims as a Markdown table, and the counts of the other tables' verdicts."""
    found = _claims_by_table(records, preset_name)
    lines = [[name, *claim] for name, claims in found.items() if name in TABLES for claim in claims]
    parts = [_grid([["table", *CLAIM_HEAD], *lines])] if lines else []
    for what, tables in (("Probes", PROBES), ("Studies", STUDIES)):
        counts = Counter(claim[-1] for name in tables for claim in found.get(name, []))
        if counts:
            parts.append(
                f"{what}, {len(tables)} tables: {', '.join(f'{n} {v}' for v, n in counts.most_common())}."
            )
    return "\n\n".join(parts)


def findings(records: Iterable[Record], preset_name: str) -> str:
    """Return the report in brief: the first claim of each of the paper's tables, and how many claims held."""
    found = _claims_by_table(records, preset_name)
    lines = [
        [name, *claims[0][:-2], _held(claims)] for name, claims in found.items() if name in TABLES and claims
    ]
    for what, tables in (("probes: one mechanism alone decides", PROBES), ("studies on the scenes", STUDIES)):
        claims = [claim for name in tables for claim in found.get(name, [])]
        if claims:
            names = list(tables)
            lines.append([f"{names[0]} to {names[-1]}", what, "", "", "", _held(claims)])
    return markdown.table(["table", "first claim", *CLAIM_HEAD[1:-2], "all its claims"], lines)


def _held(claims: list[list[str]]) -> str:
    """Such as "28 of 42 reproduced, 5 opposite"."""
    counts = Counter(claim[-1] for claim in claims)
    opposite = f", {counts['opposite']} opposite" if counts["opposite"] else ""
    return f"{counts['reproduced']} of {len(claims)} reproduced{opposite}"


def _claims_by_table(records: Iterable[Record], preset_name: str) -> dict[str, list[list[str]]]:
    records = [record for record in records if record.preset == preset_name]
    return {
        table.name: _claims(table, [r for r in records if r.table == table.name], preset_name)
        for table in tables_with_records(records, preset_name)
    }


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
        _grid([CLAIM_HEAD, *_claims(table, records, preset_name)]),
    ]
    if table.note:
        parts.insert(1, table.note)
    return "\n\n".join(parts)


def _rows(table: Table, records: list[Record], preset_name: str) -> list[list[str]]:
    groups = sorted({name for record in records for name in record.groups} - {table.score})
    # A probe's pictures have no more to tell than the one score.
    scores = [table.score] if table.score != "miou" else ["miou", *groups]
    lines = [["", "paper", "by construction", *map(_name, scores), "seeds"]]
    for row in rows_at(table, preset_name):
        runs = [record for record in records if record.row == row.name]
        paper = "" if row.paper is None else f"{row.paper:.2f}"
        expected = "" if table.expected is None else f"{table.expected(row):.1f}"
        spreads = [_spread([run.score(name) for run in runs]) for name in scores]
        lines.append([row.name, paper, expected, *spreads, str(len(runs))])
    return lines


def claims_at(table: Table, preset_name: str) -> list[Claim]:
    """The claims whose rows a preset has."""
    names = {row.name for row in rows_at(table, preset_name)}
    return [claim for claim in table.claims if {claim.better, claim.worse} <= names]


def _claims(table: Table, records: list[Record], preset_name: str) -> list[list[str]]:
    return [_claim(table, claim, records) for claim in claims_at(table, preset_name)]


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
    optional = ("paper", "by construction")
    kept = [
        column
        for column, head in enumerate(lines[0])
        if head not in optional or any(line[column] for line in lines[1:])
    ]
    head, *body = ([line[column] for column in kept] for line in lines)
    return markdown.table(head, body)
