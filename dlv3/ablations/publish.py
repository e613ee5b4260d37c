"""The report as pages: every table with its figure, and the findings in brief for the project's front page."""

import io
from collections.abc import Sequence
from pathlib import Path

from dlv3.ablations.catalogue import EVERY_TABLE
from dlv3.ablations.report import findings, table_report, tables_with_records, verdicts
from dlv3.ablations.results import Record, read
from dlv3.files import write_atomically
from dlv3.markdown import Block

FIGURES = "figures"
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
number: at 95%, of claims whose true difference is 0 one in forty is called reproduced, and one in forty opposite.
"""


def page(records: Sequence[Record], preset_name: str) -> str:
    """Return the report of all recorded tables at a preset, as one Markdown page with its figures."""
    records = [record for record in records if record.preset == preset_name]
    parts = [INTRODUCTION.strip(), "## Verdicts", verdicts(records, preset_name), "## Tables"]
    for table in tables_with_records(records, preset_name):
        parts.append(f"![{table.name}: {table.title}]({FIGURES}/{table.name}.svg)")
        parts.append(table_report(table, [r for r in records if r.table == table.name], preset_name))
    return "\n\n".join(parts) + "\n"


def publish(results: Path, front_page: Path, preset_name: str) -> list[Path]:
    """Write README.md and figures/*.svg into the folder of the results, and the findings into a front page.

    Args:
        results: the folder of the records.
        front_page: a Markdown file with the markers of `FRONT_BLOCK`; the text between them is replaced.
        preset_name: the preset whose records are published.

    Returns:
        The files written.

    Raises:
        ValueError: nothing is recorded, or the front page has no markers.
        OSError: a file cannot be written.
    """
    records = [record for record in read(results) if record.preset == preset_name]
    if not records:
        raise ValueError(f"{results}: no runs are recorded at preset {preset_name}; run dlv3 ablate first")
    written = {front_page: FRONT_BLOCK.placed(findings(records, preset_name), front_page)}
    written[results / "README.md"] = page(records, preset_name)
    (results / FIGURES).mkdir(exist_ok=True)
    for table in tables_with_records(records, preset_name):
        written[results / FIGURES / f"{table.name}.svg"] = _svg(table.name, records, preset_name)
    for path, text in written.items():
        write_atomically(path, text.encode())
    return list(written)


def _svg(name: str, records: Sequence[Record], preset_name: str) -> str:
    import matplotlib as mpl

    from dlv3.ablations.plots import table_figure

    buffer = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": name}):  # the same records give the same file
        figure = table_figure(EVERY_TABLE[name], records, preset_name)
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    return buffer.getvalue()
