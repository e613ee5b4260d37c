"""The recorded runs as a page of tables, and the headline figures for the project's front page."""

from collections.abc import Sequence
from pathlib import Path

from benchmarks.record import Record, read
from benchmarks.rows import Row, ahead, milliseconds, percent, remarks, times
from dlv3.files import write_atomically
from dlv3.markdown import Block, table

FRONT_BLOCK = Block("speed", "python -m benchmarks --publish README.md")
HEADLINES = {"inference": "inference", "training": "training step"}
"""The sections that are compared with torchvision's model, and what a table calls them."""
LEAD = "lead over the fastest other"
INTRODUCTION = """# Speed

`python -m benchmarks --publish README.md` writes this page from the records in this folder, one JSON file for each
machine. To measure:

```
python -m benchmarks                    # everything, hours on two cores; --compile adds torch.compile
python -m benchmarks --quick            # smaller images, some minutes
python -m benchmarks inference training --device cuda
```

The library runs side by side with torchvision's `deeplabv3_resnet50` as a user gets it: eager, contiguous, float32,
and with the same weights. The command fails where float32 answers differ by more than 1e-4. Contenders take turns.

For inference it also runs beside what an engineer would pick to serve such a model: ONNX Runtime and OpenVINO, with the
file that `dlv3 export` writes, float32, the same images and threads, and the images' shape told beforehand where there
is one (`pip install 'dlv3[peers]'`); and torch.compile with the weights frozen.

- **ms** is the time of one call, the median over rounds with the quartiles in parentheses.
- **times as fast** is torchvision's time divided by ours within each round, the median with the quartiles.
- **of the limit** is the network's useful arithmetic per second, as a share of what the machine's own matrix products
  reach in the same rounds. torch counts the arithmetic, and operations on padding are left out. A network that needs
  fewer multiplications than the textbook's can pass 100%.
- **differs** is the largest difference from torchvision's answers: of the logits, or of the loss and the gradients.
- **lead over the fastest other** compares ours with the fastest of the other runtimes, in the same rounds.
- **photos** is a folder of pictures from 300 to 1200 pixels, one at a time, of whatever size comes next. The time is
  that of a picture, the median over the folder.
- **memory** is measured in a process for each contender: the first picture's time, the memory at the peak, and what is
  kept after three pictures of each size.
- **parts** is where our own time goes, by kind of operation; **limit** is then the rate at which the kind multiplies.
  What runs at nearly the machine's full rate could only become faster with fewer multiplications.
- **lessons** is the lessons' own network beside the same one in plain torch.

`dlv3.fast` has what makes the difference. For inference, batch normalization is folded into the convolutions, sums and
ReLUs run inside them, weights are packed once, image pooling becomes a bias, and wide 3×3 filters, atrous ones too,
need a fifth to a half of the multiplications (Winograd's and short convolutions). In training the same filters save
multiplications in both passes, and the gradient of the other filters is computed tap by tap. `evaluate` and `predict`
use the faster model by themselves. `for_inference(compile=True)` leaves the network to torch.compile instead, which
takes a minute for each size of image.
"""


def publish(folder: Path, front_page: Path) -> list[Path]:
    """Write README.md into the folder of the records, and the first record's headline figures into a front page.

    Args:
        folder: the folder of the records.
        front_page: a Markdown file with the markers of `FRONT_BLOCK`; the text between them is replaced.

    Returns:
        The files written.

    Raises:
        ValueError: nothing is recorded, a file is not a record, or the front page has no markers.
        OSError: a file cannot be written.
    """
    records = recorded(folder)
    written = {
        front_page: FRONT_BLOCK.placed(headlines(records), front_page),
        folder / "README.md": page(records),
    }
    for path, text in written.items():
        write_atomically(path, text.encode())
    return list(written)


def recorded(folder: Path) -> list[Record]:
    """Return all records of a folder, in the order of their names.

    Raises:
        ValueError: there are none, or a file is not a record.
    """
    records = [read(path) for path in sorted(folder.glob("*.json"))]
    if not records:
        raise ValueError(f"{folder}: nothing is recorded; run python -m benchmarks --json {folder}/cpu.json")
    return records


def headlines(records: Sequence[Record]) -> str:
    """Return the figures for the front page: of the first record the first case at each output stride.

    The front page stays short with one machine; the folder's page has them all.
    """
    parts = []
    for record in records[:1]:
        rows = [row for name in HEADLINES for row in _first_cases(_compared(record, name))]
        if rows:
            parts.append(f"On {record.machine.line()}:\n\n{_headlines(rows)}")
    return "\n\n".join(parts)


def _first_cases(rows: Sequence[Row]) -> list[Row]:
    by_stride: dict[int | str, Row] = {}
    for row in rows:
        by_stride.setdefault(row.case["os"], row)
    return list(by_stride.values())


def _headlines(rows: Sequence[Row]) -> str:
    head = ["", "output stride", "images", "threads", "torchvision ms", "dlv3 ms", "times as fast"]
    leads = [LEAD] if any(row.lead for row in rows) else []
    lines = [
        [
            HEADLINES[row.section],
            str(row.case["os"]),
            _images(row),
            str(row.case.get("threads", "")),
            _baseline(row),
            milliseconds(row.seconds),
            f"**{times(row.ratio)}**",
            *(ahead(row) for _ in leads),
        ]
        for row in rows
    ]
    return table([*head, *leads], lines)


def page(records: Sequence[Record]) -> str:
    """Return all tables of the records, as one Markdown page."""
    return "\n\n".join([INTRODUCTION.strip(), *map(tables, records)]) + "\n"


def tables(record: Record) -> str:
    """Return a record's machine and its tables."""
    # Two processors of one name differ in their instructions.
    title = f"{record.machine.name}, {record.machine.instructions}"
    parts = [f"## {title}", f"`{record.command}` on {record.machine.line()}:"]
    for section, title in HEADLINES.items():
        if rows := _compared(record, section):
            parts.append(_ratios(title, rows, record.rows))
    if rest := [row for row in record.rows if row.section not in HEADLINES]:
        parts.append(_rest(rest))
    parts += [f"Not measured, {section}: {reason}" for section, reason in record.skipped.items()]
    return "\n\n".join(parts)


def _compared(record: Record, section: str) -> list[Row]:
    """Return a section's rows that are compared with torchvision's model."""
    return [row for row in record.rows if row.section == section and row.ratio is not None]


def _ratios(title: str, rows: Sequence[Row], all_rows: Sequence[Row]) -> str:
    where = "threads" if any("threads" in row.case for row in rows) else "memory"
    head = [
        title,
        "output stride",
        "batch",
        where,
        "torchvision ms",
        "ms",
        "times as fast",
        "of the limit",
        "differs",
    ]
    leads = [LEAD] if any(row.lead for row in rows) else []
    lines = []
    for row in rows:
        lines.append(
            [
                row.what + " (emulated)" * row.emulated,
                str(row.case["os"]),
                _images(row),
                str(row.case["threads"]) if where == "threads" else f"{(row.memory or 0) / 2**20:.0f} MiB",
                _baseline(row),
                milliseconds(row.seconds),
                f"**{times(row.ratio)}**",
                _limit(row, all_rows),
                "" if row.difference is None else f"{row.difference:.0e}",
                *(ahead(row) for _ in leads),
            ]
        )
    return table([*head, *leads], lines)


def _images(row: Row) -> str:
    return f"{row.case['batch']} × {row.case['size']}²"


def _baseline(row: Row) -> str:
    return "" if row.baseline_seconds is None else milliseconds(row.baseline_seconds)


def _limit(row: Row, all_rows: Sequence[Row]) -> str:
    """Return a row's share of the machine's limit, and torchvision's in the same case beside it."""
    for other in all_rows:
        same_case = other.section == row.section and other.case == row.case
        if same_case and other.ratio is None and other.share is not None:
            return f"{percent(row.share)} (torchvision {percent(other.share)})"
    return percent(row.share)


def _rest(rows: Sequence[Row]) -> str:
    lines = []
    for row in rows:
        case = ", ".join(f"{name} {value}" for name, value in row.case.items())
        measured = [milliseconds(row.seconds), times(row.ratio), percent(row.share)]
        lines.append([row.section, row.what, case, *measured, remarks(row)])
    return table(["", "", "case", "ms", "times as fast", "of the limit", ""], lines)
