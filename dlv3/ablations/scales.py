"""The presets and folders whose records are published, and what their tables stand for."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dlv3.ablations.results import Record, read


@dataclass(frozen=True)
class Scale:
    """What the tables of a preset stand for."""

    preset: str
    brief: str
    """In a table's cell."""
    heading: str
    text: str = ""


@dataclass(frozen=True)
class Section:
    """The records of a preset, on its own data or on a folder of photos."""

    scale: Scale
    records: Sequence[Record]
    slug: str
    """A folder's name for its figures."""
    own_data: bool = True
    """Whether the data is the preset's."""


SCALES = (
    Scale(
        "paper",
        "paper: PASCAL VOC 2012",
        "The paper's recipe: preset `paper`",
        "PASCAL VOC 2012 and the paper's networks.",
    ),
    Scale(
        "quarter",
        "quarter: a map of 33×33",
        "The paper's maps and rates: preset `quarter`",
        """The paper's world with every pixel divided by four: large objects on pictures of 129 pixels, a map of 33×33,
and the paper's own rates. Schedule, claims and rule were
[fixed on the validation split](../README.md#the-papers-tables-at-a-quarter-of-the-scale) before any test picture was
scored.

A *control* has the parameters of the row that it is compared with, or more, and other rates. The ceiling is the score
of true labels that are sampled on the row's map and upsampled again. "By reach alone" is the score of a network that
names an object where a unit sees all of it, and guesses elsewhere. A unit "sees" so many pixels to each side. All of
these follow from the pictures and the rates, without any training.""",
    ),
    Scale(
        "quarter-heads",
        "quarter-heads: a map of 33×33",
        "Reach alone decides: preset `quarter-heads`",
        """The same networks on pictures whose bodies all look alike except for a head at one end. "By reach alone" is
the score of a network that names a body where a unit sees its head, and guesses elsewhere: most of each claim holds by
construction, and what is learned is the difference from that column.""",
    ),
    Scale(
        "gpu",
        "gpu: a map of 33×33",
        "Scenes of 513 pixels: preset `gpu`",
        "Made scenes of the paper's size, for one GPU.",
    ),
    Scale(
        "laptop",
        "laptop: a map of 9×9",
        "The same rows where sampling is the limit: preset `laptop`",
        """The same rows on made scenes of 129 pixels at output stride 16, which gives a map of 9×9. Sampling on it
limits the rows of T2 and T3, and the rates of T5 overshoot the shapes, so these are the contrast to the tables above.
[Why each table shows or does not](../README.md#the-papers-tables-on-the-scenes).""",
    ),
    Scale("tiny", "tiny", "Preset `tiny`", "Networks that have learned nothing, for tests."),
)


CONTRASTS = SCALES[-2:]
"""They stand behind all others."""
FOLDERS = "folder-*"
"""Records on the user's own photos have folders of results of their own."""


def sections_of(results: Path) -> list[Section]:
    """Return all that is recorded in a folder of results: the paper's scale first, then its quarter, the laptop last.

    Raises:
        ValueError: a file is not a record; the message names it.
    """
    records = read(results)
    on_photos = [section for folder in sorted(results.glob(FOLDERS)) for section in _on_photos(folder)]
    first = [scale for scale in SCALES if scale not in CONTRASTS] + _others(records)
    return _recorded(first, records) + on_photos + _recorded(CONTRASTS, records)


def _recorded(scales: Sequence[Scale], records: Sequence[Record]) -> list[Section]:
    """Return a section for each scale that has records."""
    sections = [
        Section(scale, [r for r in records if r.preset == scale.preset], _slug(scale.preset))
        for scale in scales
    ]
    return [section for section in sections if section.records]


def _on_photos(folder: Path) -> list[Section]:
    records = read(folder)
    data = folder.name.partition("-")[2]
    found = []
    for preset in dict.fromkeys(record.preset for record in records):
        own = [record for record in records if record.preset == preset]
        scale = Scale(preset, f"{preset} on {data}", f"On photos: preset `{preset}` on {data}")
        found.append(Section(scale, own, _slug(f"{folder.name} {preset}"), own_data=False))
    return found


def _others(records: Sequence[Record]) -> list[Scale]:
    """Return a scale for each preset that `SCALES` does not know."""
    unknown = {record.preset for record in records} - {scale.preset for scale in SCALES}
    return [Scale(name, name, f"Preset `{name}`") for name in sorted(unknown)]


def _slug(name: str) -> str:
    return "-".join("".join(c if c.isalnum() else " " for c in name).split())
