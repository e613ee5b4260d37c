"""The claims about inference side by side: the paper's numbers, and ours in both made worlds."""

from collections.abc import Sequence

from dlv3 import markdown
from dlv3.ablations.catalogue import EVERY_TABLE
from dlv3.ablations.report import claims_at
from dlv3.ablations.results import Difference, Record, paired_difference

TABLES = ("T4", "T6", "T10")
WORLDS = {"quarter": "large objects, 33 × 33", "laptop": "small shapes, 9 × 9"}
"""The preset of each world, and its name in the lesson."""


def found(records: Sequence[Record], preset: str) -> dict[tuple[str, str], Difference]:
    """Return our difference for each claim of Tables 4, 6 and 10, by table and text.

    Args:
        records: of any tables and presets.
        preset: one of `WORLDS`.
    """
    ours = {}
    for name in TABLES:
        for claim in claims_at(EVERY_TABLE[name], preset):
            better, worse = (
                [r for r in records if (r.preset, r.table, r.row) == (preset, name, row)]
                for row in (claim.better, claim.worse)
            )
            difference = paired_difference(better, worse, claim.score)
            if difference is not None:
                ours[name, claim.text] = difference
    return ours


def claims_table(records: Sequence[Record]) -> str:
    """Return the claims with the paper's difference and ours in both worlds, as Markdown."""
    by_world = {preset: found(records, preset) for preset in WORLDS}
    lines = [["table", "claim", "paper", *WORLDS.values()]]
    for name in TABLES:
        for claim in claims_at(EVERY_TABLE[name], "quarter"):
            rows = [EVERY_TABLE[name].row(row).paper for row in (claim.better, claim.worse)]
            paper = "" if rows[0] is None or rows[1] is None else f"{rows[0] - rows[1]:+.2f}"
            ours = [_in_words(by_world[preset].get((name, claim.text))) for preset in WORLDS]
            lines.append([name, claim.text, paper, *ours])
    return markdown.table(lines[0], lines[1:])


def _in_words(difference: Difference | None) -> str:
    return "not run" if difference is None else f"{difference.mean:+.1f}, {difference.verdict}"
