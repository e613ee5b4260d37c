"""Recorded runs of the paper's tables in lessons: the paper's numbers beside ours, with intervals and verdicts.

    records = recorded("quarter", "T2")
    print(beside_paper("T2", {"resnet50 block4": "block4", "block7, all rates 1": "control"}, records))
    print(verdicts("T2", records))

The numbers are read when the lesson runs, so they are those of all seeds that are recorded.
"""

from collections.abc import Mapping, Sequence

from dlv3 import assets
from dlv3.ablations import EVERY_TABLE, Difference, Record, difference, paired_difference
from dlv3.ablations.report import claim_line, claims_at
from dlv3.ablations.results import read_record


def recorded(preset: str, *tables: str) -> list[Record]:
    """Return the recorded runs of tables at a preset. They travel with the package.

    Raises:
        FileNotFoundError: the package has no records, or none of a table at the preset.
    """
    records = []
    for table in tables:
        folder = assets.records() / preset / table
        if not folder.is_dir():
            raise FileNotFoundError(f"{folder}: no records of {table} at preset {preset}")
        records += [read_record(path) for path in sorted(folder.glob("*.json"))]
    return records


def above(records: Sequence[Record], table: str, better: str, worse: str) -> Difference:
    """Return how far a row scores above another, in points of mIOU, over the seeds that both have.

    Raises:
        ValueError: no seed has both rows.
    """
    ours, theirs = ([r for r in records if (r.table, r.row) == (table, row)] for row in (better, worse))
    found = paired_difference(ours, theirs, "miou")
    if found is None:
        raise ValueError(f"{table}: no seed is recorded of both {better!r} and {worse!r}")
    return found


def beside_paper(table: str, rows: Mapping[str, str], records: Sequence[Record]) -> str:
    """Return rows as text: the paper's number, our mean with its 95% interval, and the seeds.

    Args:
        table: the table's name, such as "T2".
        rows: the rows to print by their name in the table, and their labels.
        records: of any tables, at one preset.
    """
    width = max(map(len, ["mIOU in %", *rows.values()]))
    lines = [f"{'mIOU in %':<{width}}  paper  ours, 95% interval  seeds"]
    for name, label in rows.items():
        paper = EVERY_TABLE[table].row(name).paper
        scores = [r.score("miou") for r in records if (r.table, r.row) == (table, name)]
        mean = difference(scores)
        ours = f"{mean.mean:.1f} [{mean.low:.1f}, {mean.high:.1f}]"
        lines.append(
            f"{label:<{width}}  {'' if paper is None else format(paper, '.2f'):>5}  {ours:<18}  {mean.pairs:>5}"
        )
    return "\n".join(lines)


def verdicts(table: str, records: Sequence[Record]) -> str:
    """Return the claims of a table as text, one a line: the paper's difference, ours with its interval, the verdict.

    Args:
        table: the table's name.
        records: of any tables, at one preset.
    """
    found, own = EVERY_TABLE[table], [record for record in records if record.table == table]
    lines = []
    for claim in claims_at(found, own[0].preset):
        text, _, paper, ours, _, verdict = claim_line(found, claim, own)
        theirs = f"the paper {paper}, " if paper else ""
        lines.append(f"{text.removesuffix(' (resnet50)')}: {theirs}here {ours}: {verdict}")
    return "\n".join(lines)
