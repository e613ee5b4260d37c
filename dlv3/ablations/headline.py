"""The paper's headline findings in brief, as tables and as the numbers of a figure: Tables 2, 3 and 5."""

from collections.abc import Sequence
from dataclasses import dataclass

from dlv3 import markdown
from dlv3.ablations.paper.bounds import bounds_at
from dlv3.ablations.paper.configure import rows_at
from dlv3.ablations.paper.headlines import GROUPS, HEADLINES, LONGER, Group, Headline
from dlv3.ablations.paper.tables import TABLES, is_control
from dlv3.ablations.paper.traits import traits_at
from dlv3.ablations.report import claim_line, claims_at, with_interval
from dlv3.ablations.results import FEWEST_PAIRS, Difference, Record, difference, paired_difference

BRIEF_HEAD = ["table", "claim", "paper", "ours, 95% interval", "seeds", "verdict", "against its control"]
SEPARATED_HEAD = ["table", "claim", "ours", "verdict", "from parameters", "from construction"]


@dataclass(frozen=True)
class Bar:
    """A row of the figure: how far it scores above its group's plain network, in points of mIOU."""

    label: str
    paper: float | None
    """None where the paper does not have the row."""
    values: tuple[float, ...]
    """Ours, one for each seed that both rows have."""
    control: bool

    @property
    def mean(self) -> Difference | None:
        """Our mean and its interval; None where nothing is recorded."""
        return difference(self.values) if self.values else None

    @property
    def judged(self) -> bool:
        """Whether there are as many seeds as the rule of the verdicts asks for, and an interval worth drawing."""
        return len(self.values) >= FEWEST_PAIRS


def headline_table(records: Sequence[Record], preset_name: str) -> str:
    """Return each headline claim with its verdict, and with its verdict against the control, as Markdown.

    Args:
        records: those of one preset; they may be of any tables.
        preset_name: the preset.
    """
    lines = []
    for headline in HEADLINES:
        text, _, paper, ours, seeds, verdict = _line(headline, headline.worse, records, preset_name)
        against = ""
        if headline.control is not None:
            *_, difference_, _, judged = _line(headline, headline.control, records, preset_name)
            against = ", ".join(filter(None, (difference_, judged)))
        elif _parameters(headline, preset_name) == 0:
            against = "equal parameters"
        lines.append([headline.table, _short(text), paper, ours, seeds, verdict, against])
    return markdown.table(BRIEF_HEAD, lines)


def separation_table(records: Sequence[Record], preset_name: str) -> str:
    """Return what separates each headline claim from the number of parameters and from how the pictures are made.

    Args:
        records: those of one preset; they may be of any tables.
        preset_name: the preset.
    """
    lines = []
    for headline in HEADLINES:
        text, _, _, ours, _, verdict = _line(headline, headline.worse, records, preset_name)
        lines.append(
            [
                headline.table,
                _short(text),
                ours,
                verdict,
                _from_parameters(headline, records, preset_name),
                _from_construction(headline, preset_name),
            ]
        )
    return markdown.table(SEPARATED_HEAD, lines)


def convergence(records: Sequence[Record]) -> str:
    """Return the headline differences at twice the schedule as a sentence; empty where none was run.

    Args:
        records: those of one preset; they may be of any tables.
    """
    parts = []
    for text, better, worse in LONGER:
        ours, theirs = ([r for r in records if (r.table, r.row) == row] for row in (better, worse))
        found = paired_difference(ours, theirs, "miou")
        if found is not None:
            parts.append(f"{text}: {with_interval(found)} ({found.pairs} seeds)")
    return f"At twice the schedule, {'; '.join(parts)}." if parts else ""


def bars_of(records: Sequence[Record], groups: Sequence[Group] = GROUPS) -> list[tuple[Group, list[Bar]]]:
    """Return the figure's numbers: the groups, and the rows of each."""
    return [(group, [_bar(group, label, records) for label in group.rows]) for group in groups]


def in_words(records: Sequence[Record], groups: Sequence[Group] = GROUPS) -> str:
    """Return the figure in words, with all of its numbers."""
    parts = []
    for group, bars in bars_of(records, groups):
        rows = [f"{'control ' if bar.control else ''}{bar.label} {_numbers(bar)}" for bar in bars]
        parts.append(f"{group.title}: {'; '.join(rows)}.")
    return " ".join(["Points of mIOU above a plain network, the paper's and ours.", *parts])


def _short(claim: str) -> str:
    """Return a claim's text without the paper's backbone, which is another one at this scale."""
    return claim.removesuffix(" (resnet50)")


def _numbers(bar: Bar) -> str:
    paper = "" if bar.paper is None else f"paper {bar.paper:+.1f}, "
    return f"{paper}ours {'not run' if bar.mean is None else f'{bar.mean.mean:+.1f}'}"


def _bar(group: Group, label: str, records: Sequence[Record]) -> Bar:
    table = TABLES[group.table]
    row, plain = table.row(group.rows[label]), table.row(group.plain)
    paper = None if row.paper is None or plain.paper is None else row.paper - plain.paper
    scores, plain_scores = (
        {r.seed: r.score("miou") for r in records if (r.table, r.row) == (table.name, name)}
        for name in (row.name, plain.name)
    )
    seeds = sorted(scores.keys() & plain_scores.keys())
    return Bar(label, paper, tuple(scores[s] - plain_scores[s] for s in seeds), is_control(row))


def _line(headline: Headline, worse: str, records: Sequence[Record], preset_name: str) -> list[str]:
    """Return a claim as a line with the columns of `report.CLAIM_HEAD`.

    Its text and its verdict are empty if it is not one of the table's claims, and so was not fixed beforehand.
    """
    table = TABLES[headline.table]
    own = [record for record in records if record.table == table.name]
    for claim in claims_at(table, preset_name):
        if (claim.better, claim.worse) == (headline.better, worse):
            return claim_line(table, claim, own)
    better, control = ([r for r in own if r.row == name] for name in (headline.better, worse))
    found = paired_difference(better, control, "miou")
    if found is None:
        return ["", "mIOU", "", "", "0", ""]
    return ["", "mIOU", "", with_interval(found), str(found.pairs), ""]


def _parameters(headline: Headline, preset_name: str) -> int:
    """Return how many parameters the better row has more than the worse one."""
    table = TABLES[headline.table]
    better, worse = (
        traits_at(table.row(name), preset_name).parameters for name in (headline.better, headline.worse)
    )
    return better - worse


def _from_parameters(headline: Headline, records: Sequence[Record], preset_name: str) -> str:
    more = _parameters(headline, preset_name)
    if headline.control is None:
        return (
            "both rows have as many"
            if more == 0
            else f"{more:+,} parameters: not separated, no control was run"
        )
    table = TABLES[headline.table]
    extra = (
        traits_at(table.row(headline.control), preset_name).parameters
        - traits_at(table.row(headline.better), preset_name).parameters
    )
    *_, ours, _, verdict = _line(headline, headline.control, records, preset_name)
    size = "as many parameters" if extra == 0 else f"{extra:,} parameters more"
    above = ", ".join(filter(None, (ours, verdict))) or "not run"
    return f"{headline.control}, with {size}: {above}"


def _from_construction(headline: Headline, preset_name: str) -> str:
    table = TABLES[headline.table]
    rows = {row.name: row for row in rows_at(table, preset_name)}
    better, worse = (
        bounds_at(rows[name], preset_name).by_reach for name in (headline.better, headline.worse)
    )
    return "" if better is None or worse is None else f"reach alone gives {better - worse:+.1f}"
