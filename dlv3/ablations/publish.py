"""The report as pages: every table with its figure, and the findings in brief for the project's front page."""

import io
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any

from dlv3 import markdown
from dlv3.ablations.headline import convergence, headline_table, in_words, separation_table
from dlv3.ablations.paper import headlines as paper
from dlv3.ablations.paper.tables import QUARTER, TABLES
from dlv3.ablations.probes.tables import PROBES
from dlv3.ablations.report import (
    claims_by_table,
    reproduced,
    table_report,
    tables_with_records,
    verdicts,
)
from dlv3.ablations.results import Record
from dlv3.ablations.scales import Section, sections_of
from dlv3.ablations.studies.tables import STUDIES
from dlv3.ablations.table import Table
from dlv3.files import write_atomically
from dlv3.markdown import Block

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FIGURES = "figures"
HEADLINES = "headlines.svg"
FRONT_BLOCK = Block("findings", "dlv3 ablate --publish README.md")
INTRODUCTION = """# Results of the tables

`dlv3 ablate --publish README.md` writes this page from the records in this folder. A record is one run in one JSON
file: configuration, seed, scores, device, versions, commit and wall time.

The tables T1 to T10 are the paper's, and the column "paper" has its numbers. The tables P are probes: tasks made so
that one mechanism of the paper alone decides the score. The tables S are studies of where atrous rates, ASPP and image
pooling pay on the made scenes.

Scores are the mean ± standard deviation over seeds, in percent. A claim says that one row scores above another; its
difference is the mean over pairs of runs with equal seeds, in points, with its 95% interval (Student's t). The rule of
the verdicts was fixed before any run:

- **reproduced**: the interval lies above 0, with three seeds or more;
- **opposite**: the interval lies below 0, with three seeds or more;
- **same direction**: neither of these, and every seed's difference is above 0;
- **within noise**: everything else.

Nothing was chosen on the split that is scored. The claims are many, and the intervals are not corrected for their
number: at 95%, of claims whose true difference is 0 one in forty is called reproduced, and one in forty opposite."""
SEPARATED = """What separates a claim from the number of **parameters** is a row with at least as many and other rates.
What separates it from **construction** is its difference "by reach alone": what would follow without any learning, if
units named the objects of which they see all that tells the class, and guessed elsewhere."""


def page(sections: Sequence[Section]) -> str:
    """Return the report of all recorded tables, preset by preset, as one Markdown page with its figures."""
    parts = [INTRODUCTION, "## Claims reproduced, by table", claims_reproduced(sections)]
    for section in filter(has_headlines, sections):
        preset = section.scale.preset
        parts += [
            f"## Headline findings at preset `{preset}`",
            figure_link(f"{FIGURES}/{section.slug}/{HEADLINES}", in_words(section.records)),
            headline_table(section.records, preset),
            SEPARATED,
            separation_table(section.records, preset),
            convergence(section.records),
        ]
    for section in sections:
        scale = section.scale
        parts += [f"## {scale.heading}", scale.text, verdicts(section.records, scale.preset)]
        for table in tables_with_records(section.records, scale.preset):
            own = [record for record in section.records if record.table == table.name]
            parts.append(
                figure_link(f"{FIGURES}/{section.slug}/{table.name}.svg", f"{table.name}: {table.title}")
            )
            parts.append(table_report(table, own, scale.preset))
    return "\n\n".join(filter(None, parts)) + "\n"


def findings(sections: Sequence[Section], folder: str) -> str:
    """Return the report in brief: the headline findings with their figure, and how many claims of each table held.

    Args:
        sections: all that is recorded.
        folder: of the results, as seen from the page.
    """
    parts = []
    for section in [section for section in sections if has_headlines(section)][:1]:
        figure = f"{folder}/{FIGURES}/{section.slug}/{HEADLINES}"
        parts.append(figure_link(figure, in_words(section.records)))
        parts.append(headline_table(section.records, section.scale.preset))
    return "\n\n".join([*parts, claims_reproduced(sections)])


def has_headlines(section: Section) -> bool:
    """Return whether a section has the paper's maps and rates on the preset's own data, and a headline's row."""
    tables = {headline.table for headline in paper.HEADLINES}
    recorded = any(record.table in tables for record in section.records)
    return section.own_data and section.scale.preset in QUARTER and recorded


def claims_reproduced(sections: Sequence[Section]) -> str:
    """Return how many claims of each table are reproduced in each section, as Markdown."""
    kinds = {name: (name,) for name in TABLES} | {
        _first_to_last(tables): tuple(tables) for tables in (PROBES, STUDIES)
    }
    lines = []
    for section in sections:
        found = claims_by_table(section.records, section.scale.preset)
        claims = [[claim for name in names for claim in found.get(name, [])] for names in kinds.values()]
        lines.append([section.scale.brief, *(reproduced(c) if c else "" for c in claims)])
    kept = [k for k in range(1 + len(kinds)) if any(line[k] for line in lines)]
    head = ["claims reproduced; open: under 3 seeds", *kinds]
    return markdown.table([head[k] for k in kept], [[line[k] for k in kept] for line in lines])


def _first_to_last(tables: Mapping[str, object]) -> str:
    first, *_, last = tables
    return f"{first} to {last}"


def figure_link(path: str, words: str) -> str:
    """Return a picture with its text for those who cannot see it, as Markdown."""
    return f"![{words.replace('[', '(').replace(']', ')')}]({path})"


def publish(results: Path, front_page: Path) -> list[Path]:
    """Write README.md and figures/*/*.svg into the folder of the results, and the findings into a front page.

    Args:
        results: the folder of the records; those of every preset are published.
        front_page: a Markdown file with the markers of `FRONT_BLOCK`; the text between them is replaced.

    Returns:
        The files written.

    Raises:
        ValueError: nothing is recorded, or the front page has no markers.
        OSError: a file cannot be written.
    """
    sections = sections_of(results)
    if not sections:
        raise ValueError(f"{results}: no runs are recorded; run dlv3 ablate first")
    folder = Path(os.path.relpath(results, front_page.parent)).as_posix()
    written = {front_page: FRONT_BLOCK.placed(findings(sections, folder), front_page)}
    written[results / "README.md"] = page(sections)
    for section in sections:
        figures = results / FIGURES / section.slug
        if has_headlines(section):
            written[figures / HEADLINES] = headlines_svg(section.records)
        for table in tables_with_records(section.records, section.scale.preset):
            written[figures / f"{table.name}.svg"] = table_svg(table, section.records, section.scale.preset)
    for path, text in written.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, text.encode())
    return list(written)


def table_svg(table: Table[Any], records: Sequence[Record], preset_name: str) -> str:
    """Return a table's figure as SVG.

    Args:
        table: one of `EVERY_TABLE`.
        records: those of one preset; they may be of any tables.
        preset_name: the preset.
    """
    from dlv3.ablations.plots import table_figure

    words = scores_in_words(table, records)
    return _svg(table.name, table_figure(table, records, preset_name), words, text="path")


def headlines_svg(records: Sequence[Record]) -> str:
    """Return the headline figure as SVG, with text that stays text, since its glyphs would be most of the file."""
    from dlv3.ablations.headline_plot import headline_figure

    return _svg(HEADLINES, headline_figure(records), in_words(records), text="none")


def scores_in_words(table: Table[Any], records: Sequence[Record]) -> str:
    """Return our scores in a table's figure: of each row that was run the mean in percent, and its number of seeds."""
    rows = {row.name: [r.score(table.score) for r in records if (r.table, r.row) == (table.name, row.name)]
            for row in table.rows}  # fmt: skip
    return "; ".join(
        f"{name}: {fmean(scores):.2f} ({len(scores)})" for name, scores in rows.items() if scores
    )


def _svg(name: str, figure: "Figure", words: str, text: str) -> str:
    import matplotlib as mpl

    buffer = io.StringIO()
    # The same records give the same file.
    with mpl.rc_context({"svg.hashsalt": name, "svg.fonttype": text}):
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Description": words})
    return buffer.getvalue()
