"""A cell of the studies' tables: a head on frozen features, trained and scored in seconds."""

from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from dlv3.ablations.cell import Cell, Measured, none_for_nan, without_nan
from dlv3.ablations.studies.features import Features, features
from dlv3.ablations.studies.net import StudyConfig, score_head, train_head
from dlv3.data import Split


@dataclass(frozen=True)
class StudyCell(Cell[StudyConfig]):
    """One row of a study with one seed. No two rows share a training."""

    def measure(self, work: Path) -> Measured:
        """Train and score; nothing is kept in `work`, since a head takes seconds."""
        read, scored = self._read("train", self.config.pictures), self._read(self.split, None)
        started = perf_counter()
        counts, groups = score_head(train_head(self.config, read), scored)
        iou = dict(zip(scored.classes, counts.iou().tolist(), strict=True))
        groups |= {name: _mean(iou, scored, of) for name, of in scored.groups.items()}
        discs = ("sun", "coin") if self.config.scene_cue else ("disc",)
        groups["discs"] = sum(iou[name] for name in discs) / len(discs)
        return Measured(
            miou=counts.miou(),
            iou=none_for_nan(iou),
            groups=without_nan(groups),
            seconds=round(perf_counter() - started, 1),
        )

    def _read(self, split: Split, pictures: int | None) -> Features:
        c = self.config
        return features(c.blocks, c.output_stride, c.scene_cue, c.size, split, pictures)


def _mean(iou: dict[str, float], data: Features, of: tuple[int, ...]) -> float:
    return sum(iou[data.classes[index]] for index in of) / len(of)
