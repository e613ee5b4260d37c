"""The report as pages: every table with its figure, and the verdicts alone for the project's front page."""

from collections.abc import Sequence
from pathlib import Path

from dlv3.ablations.catalogue import EVERY_TABLE
from dlv3.ablations.report import table_report, verdicts
from dlv3.ablations.results import Record, read
from dlv3.files import write_atomically

FIGURES = "figures"
OPENING, CLOSING = "<!-- verdicts: written by dlv3 ablate --publish -->", "<!-- end of verdicts -->"
INTRODUCTION = """# What came out

Written by `dlv3 ablate --publish README.md` from the records in this folder, one JSON file a run: configuration, seed,
scores, device, versions, commit, wall time. Ours are the mean ± standard deviation over seeds, in percent; a claim's
difference is that of runs with equal seeds, with its 95% interval (Student's t). The rule of the verdicts was fixed
before any run: **reproduced** where the interval lies above 0 and there are three seeds or more, **opposite** where it
lies below; else **same direction** where every seed's difference is above 0, and **within noise** where not. Nothing
was chosen on the split that is scored. The many claims were not corrected for their number: at 95%, one in forty true
nulls is called reproduced, and one in forty opposite.
"""


def page(records: Sequence[Record], preset_name: str) -> str:
    """The report of all recorded tables at a preset, as one Markdown page with its figures."""
    parts = [INTRODUCTION]
    for name in recorded_tables(records, preset_name):
        ours = [record for record in records if (record.table, record.preset) == (name, preset_name)]
        parts.append(f"![{name}: {EVERY_TABLE[name].title}]({FIGURES}/{name}.svg)")
        parts.append(table_report(EVERY_TABLE[name], ours, preset_name))
    return "\n\n".join(parts) + "\n"


def recorded_tables(records: Sequence[Record], preset_name: str) -> list[str]:
    """Names of the tables with runs at a preset, in the catalogue's order."""
    return [name for name in EVERY_TABLE if any((r.table, r.preset) == (name, preset_name) for r in records)]


def publish(results: Path, front_page: Path, preset_name: str) -> list[Path]:
    """Write README.md and figures/*.svg into the results' folder, and the verdicts into a front page.

    Args:
        results: the records' folder.
        front_page: a Markdown file with the lines `OPENING` and `CLOSING`; what stands between them is replaced.
        preset_name: whose records.

    Returns:
        The files written.

    Raises:
        ValueError: nothing is recorded, or the front page has no place for the verdicts.
        OSError: a file cannot be written.
    """
    records = read(results)
    names = recorded_tables(records, preset_name)
    if not names:
        raise ValueError(f"{results}: no runs are recorded at preset {preset_name}; run dlv3 ablate first")
    written = {front_page: with_verdicts(front_page, verdicts(records, preset_name))}
    written[results / "README.md"] = page(records, preset_name)
    (results / FIGURES).mkdir(exist_ok=True)
    for name in names:
        written[results / FIGURES / f"{name}.svg"] = _svg(name, records, preset_name)
    for path, text in written.items():
        write_atomically(path, text.encode())
    return list(written)


def with_verdicts(front_page: Path, text: str) -> str:
    """The front page's text with the verdicts in their place.

    Raises:
        ValueError: it has no such place.
    """
    before, opening, rest = front_page.read_text().partition(OPENING)
    _, closing, after = rest.partition(CLOSING)
    if not closing:
        raise ValueError(
            f"{front_page}: has no lines {OPENING!r} and {CLOSING!r} to write the verdicts between"
        )
    return f"{before}{opening}\n{text}\n{closing}{after}"


def _svg(name: str, records: Sequence[Record], preset_name: str) -> str:
    import io

    import matplotlib as mpl

    from dlv3.ablations.plots import table_figure

    buffer = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": name}):  # the same records give the same file
        table_figure(EVERY_TABLE[name], records, preset_name).savefig(
            buffer, format="svg", metadata={"Date": None}
        )
    return buffer.getvalue()
