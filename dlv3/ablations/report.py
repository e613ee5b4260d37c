"""The tables as text: the paper's numbers, ours, and a verdict for each claim."""

import json
import statistics
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from dlv3 import markdown
from dlv3.ablations.catalogue import EVERY_TABLE, rows_at
from dlv3.ablations.paper.bounds import bounds_at
from dlv3.ablations.paper.ceiling import CEILING
from dlv3.ablations.paper.cell import is_folder
from dlv3.ablations.paper.configure import PAPER_ASPP_RATES, aspp_rates_for
from dlv3.ablations.paper.tables import QUARTER, TABLES, is_control
from dlv3.ablations.paper.traits import traits_at, traits_of
from dlv3.ablations.probes.tables import PROBES
from dlv3.ablations.results import FEWEST_PAIRS, Difference, Record, difference, paired_difference
from dlv3.ablations.studies.tables import STUDIES
from dlv3.ablations.table import Claim, Row, Table
from dlv3.config.run import RunConfig

CLAIM_HEAD = ["claim", "score", "paper", "ours, 95% interval", "seeds", "verdict"]
KNOWN_HEAD = [CEILING, "by reach alone", "parameters", "sees, px"]
"""Of a row before any training, at a quarter of the paper's scale."""
INTERVAL_HEAD = "95% interval"


def report(records: Iterable[Record], preset_name: str) -> str:
    """Return every table that has recorded runs at a preset, as Markdown."""
    by_table = _by_table(records, preset_name)
    if not by_table:
        return f"No recorded runs at preset {preset_name}.\n"
    tables = [table_report(EVERY_TABLE[name], runs, preset_name) for name, runs in by_table.items()]
    return "\n\n".join(tables) + "\n"


def note_on_seeds(records: Iterable[Record]) -> str:
    """Return a sentence on what verdicts from one or two seeds can say; "" where there are more."""
    seeds: dict[tuple[str, str], set[int]] = {}
    for record in records:
        seeds.setdefault((record.table, record.row), set()).add(record.seed)
    most = max(map(len, seeds.values()), default=FEWEST_PAIRS)
    if most >= FEWEST_PAIRS:
        return ""
    runs = "One run" if most == 1 else "Two runs"
    return (
        f'{runs} of each row: "same direction" says that the difference has the sign of the claim in every run, and '
        '"within noise" that it has not. How far runs differ by chance, and with it "reproduced" and "opposite", '
        f"takes {FEWEST_PAIRS} seeds or more (--seeds {FEWEST_PAIRS})."
    )


def verdicts(records: Iterable[Record], preset_name: str) -> str:
    """Return all verdicts on the paper's claims as a Markdown table, and the counts of the other tables' verdicts."""
    found = claims_by_table(records, preset_name)
    lines = [[name, *claim] for name, claims in found.items() if name in TABLES for claim in claims]
    parts = [_grid([["table", *CLAIM_HEAD], *lines])] if lines else []
    for kind, tables in (("Probes", PROBES), ("Studies", STUDIES)):
        counts = Counter(claim[-1] for name in tables for claim in found.get(name, []))
        if counts:
            shares = ", ".join(f"{count} {verdict}" for verdict, count in counts.most_common())
            parts.append(f"{kind}, {len(tables)} tables: {shares}.")
    return "\n\n".join(parts)


def reproduced(claims: Sequence[Sequence[str]]) -> str:
    """Return how many claims held, such as "28 of 42, 5 opposite", and how many are open.

    A claim with fewer than three seeds, the least that the rule of the verdicts asks for, is open.

    Args:
        claims: lines with the columns of `CLAIM_HEAD`.
    """
    counts = Counter(claim[-1] for claim in claims)
    open_claims = sum(int(claim[-2]) < FEWEST_PAIRS for claim in claims)
    parts = [f"{counts['reproduced']} of {len(claims)}"] if open_claims < len(claims) else []
    parts += [
        f"{count} {name}"
        for name, count in (("opposite", counts["opposite"]), ("open", open_claims))
        if count
    ]
    return ", ".join(parts)


def _by_table(records: Iterable[Record], preset_name: str) -> dict[str, list[Record]]:
    """Return the records at a preset by their table, in the catalogue's order."""
    runs: dict[str, list[Record]] = {name: [] for name in EVERY_TABLE}
    for record in records:
        if record.preset == preset_name and record.table in runs:
            runs[record.table].append(record)
    return {name: of_table for name, of_table in runs.items() if of_table}


def claims_by_table(records: Iterable[Record], preset_name: str) -> dict[str, list[list[str]]]:
    """Return the lines of each recorded table's claims, with the columns of `CLAIM_HEAD`, in the catalogue's order."""
    by_table = _by_table(records, preset_name)
    return {name: _claims(EVERY_TABLE[name], runs, preset_name) for name, runs in by_table.items()}


def tables_with_records(records: Iterable[Record], preset_name: str) -> list[Table[Any]]:
    """Return the tables that have runs at a preset, in the catalogue's order."""
    return [EVERY_TABLE[name] for name in _by_table(records, preset_name)]


def table_report(table: Table[Any], records: Sequence[Record], preset_name: str) -> str:
    """Return a table as Markdown: its rows with the paper's numbers and ours, then its claims with their verdicts.

    A column without entries is left out: of the paper's numbers, or of the scores that follow from how the pictures
    are made. On photos, rows that were not run and their claims are left out too.

    Args:
        table: one of `EVERY_TABLE`.
        records: the table's own, at the preset.
        preset_name: the preset.
    """
    parts = [
        f"**{table.name}** {table.title} (section {table.section})",
        _grid(_rows(table, records, preset_name)),
    ]
    claims = _claims(table, records, preset_name)
    if claims:
        parts.append(_grid([CLAIM_HEAD, *claims]))
    if table.note:
        parts.insert(1, table.note)
    if of_folder(records):
        parts.insert(1, about_folder(records))
    return "\n\n".join(parts)


def of_folder(records: Sequence[Record]) -> bool:
    """Return whether records are those of a folder of photos, not of made pictures."""
    return any(is_folder(record.config.get("dataset", "")) for record in records)


def about_folder(records: Sequence[Record]) -> str:
    """Return a sentence on the data and the schedule of a table's records on a folder."""
    configs = [record.config for record in records]
    # Rows may have smaller crops and longer schedules than the table.
    crop = max(config["training"]["crop_size"] for config in configs)
    iterations = min(config["training"]["iterations"] for config in configs)
    model = configs[0]["model"]
    rates = aspp_rates_for(crop, model["backbone"])
    return (
        f"On the {records[0].split} pictures of {configs[0]['dataset']}, {model['num_classes']} classes, at preset "
        f"{records[0].preset}: {iterations} iterations, crops of {crop}, ASPP's rates {rates} for {PAPER_ASPP_RATES}."
    )


def _rows(table: Table[Any], records: Sequence[Record], preset_name: str) -> list[list[str]]:
    groups = sorted({name for record in records for name in record.groups} - {table.score, CEILING})
    # A probe has one score; the groups of its record say nothing more.
    scores = [table.score] if table.score != "miou" else ["miou", *groups]
    photos = of_folder(records)
    rows = rows_at(table, preset_name)
    by_row = {row.name: [record for record in records if record.row == row.name] for row in rows}
    most = max(len(runs) for runs in by_row.values())
    lines = [["", "paper", "by construction", *KNOWN_HEAD, *map(_name, scores), INTERVAL_HEAD, "seeds"]]
    for row in rows:
        runs = by_row[row.name]
        if photos and not runs:
            continue
        paper = "" if row.paper is None else f"{row.paper:.2f}"
        expected = "" if table.expected is None else f"{table.expected(row):.1f}"
        known = _known_of(runs) if photos else _known(row, preset_name)
        spreads = [_spread([run.score(name) for run in runs]) for name in scores]
        shown = photos or preset_name in QUARTER
        interval = _interval([run.score(scores[0]) for run in runs]) if shown else ""
        seeds = f"{len(runs)} of {most}" if len(runs) < most else str(most)
        name = f"*control*: {row.name}" if is_control(row) else row.name
        lines.append([name, paper, expected, *known, *spreads, interval, seeds])
    return lines


def _known(row: Row[Any], preset_name: str) -> tuple[str, ...]:
    """Return the columns of `KNOWN_HEAD` for a row on made pictures."""
    if preset_name not in QUARTER:
        return ("",) * len(KNOWN_HEAD)
    return (*bounds_at(row, preset_name).as_text(), *traits_at(row, preset_name).as_text())


def _known_of(runs: Sequence[Record]) -> tuple[str, ...]:
    """Return the columns of `KNOWN_HEAD` for a row on photos, as its records have them."""
    ceilings = [f"{run.score(CEILING):.1f}" for run in runs if CEILING in run.groups]
    model = RunConfig.from_json(json.dumps(runs[0].config)).model
    return (*(ceilings[:1] or [""]), "", *traits_of(model).as_text())


def claims_at(table: Table[Any], preset_name: str, *, photos: bool = False) -> list[Claim]:
    """Return the claims whose rows a preset has. Where the data has no scene cue, every class is without one.

    Args:
        table: one of `EVERY_TABLE`.
        preset_name: the preset.
        photos: whether the table was run on a folder of photos.
    """
    names = {row.name for row in rows_at(table, preset_name)}
    claims = [claim for claim in table.claims if {claim.better, claim.worse} <= names]
    if photos or preset_name in QUARTER:
        return [replace(claim, score="miou") if claim.score == "shapes" else claim for claim in claims]
    return claims


def _claims(table: Table[Any], records: Sequence[Record], preset_name: str) -> list[list[str]]:
    """Return a line for each claim, with the columns of `CLAIM_HEAD`."""
    photos, run = of_folder(records), {record.row for record in records}
    claims = claims_at(table, preset_name, photos=photos)
    return [
        claim_line(table, claim, records)
        for claim in claims
        if not photos or {claim.better, claim.worse} <= run
    ]


def claim_line(table: Table[Any], claim: Claim, records: Iterable[Record]) -> list[str]:
    """Return a claim with its verdict, as a line with the columns of `CLAIM_HEAD`.

    Args:
        table: the claim's.
        claim: two rows and a score.
        records: the table's own, at one preset.
    """
    records = list(records)
    better, worse = table.row(claim.better).paper, table.row(claim.worse).paper
    paper = "" if better is None or worse is None else f"{better - worse:+.2f}"
    found = paired_difference(
        [r for r in records if r.row == claim.better],
        [r for r in records if r.row == claim.worse],
        claim.score,
    )
    ours, seeds, verdict = "", "0", "not run"
    if found is not None:
        ours, seeds, verdict = with_interval(found), str(found.pairs), found.verdict
    return [claim.text, _name(claim.score), paper, ours, seeds, verdict]


def with_interval(found: Difference) -> str:
    """Return a difference with its 95% interval, which a single pair does not have."""
    interval = f" [{found.low:+.1f}, {found.high:+.1f}]" if found.pairs > 1 else ""
    return f"{found.mean:+.1f}{interval}"


def _name(score: str) -> str:
    return "mIOU" if score == "miou" else score


def _spread(scores: Sequence[float]) -> str:
    if not scores:
        return ""
    deviation = f" ± {statistics.stdev(scores):.1f}" if len(scores) > 1 else ""
    return f"{statistics.fmean(scores):.1f}{deviation}"


def _interval(scores: Sequence[float]) -> str:
    if len(scores) < 2:
        return ""
    mean = difference(scores)
    return f"[{mean.low:.1f}, {mean.high:.1f}]"


def _grid(lines: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table without those optional columns that are empty."""
    optional = ("paper", "by construction", *KNOWN_HEAD, INTERVAL_HEAD)
    kept = [
        column
        for column, head in enumerate(lines[0])
        if head not in optional or any(line[column] for line in lines[1:])
    ]
    head, *body = ([line[column] for column in kept] for line in lines)
    return markdown.table(head, body)
