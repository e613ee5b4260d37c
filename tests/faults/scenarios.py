"""Commands that faults happen to, each with a folder to begin in and its undisturbed result."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from fault_harness import Ended, Fault, WarmProcess
from folder_states import State, state_of
from PIL import Image

TRAIN = ["train", "--preset", "tiny", "--training.keep-best", "--out", "run"]
COMMANDS = {
    "train": [*TRAIN, "--resume"],
    "train over another": [*TRAIN, "--overwrite", "--training.iterations", "4"],
    "ablate": ["ablate", "T4", "--preset", "tiny", "--seeds", "1", "--results", "results", "--work", "work"],
    "evaluate": ["evaluate", "run", "--workers", "0", "--pictures", "2", "--csv", "--out", "scores/run.json"],
    "predict": ["predict", "run", "photos", "--out", "predictions", "--probabilities", "npz"],
    "export": ["export", "run", "--format", "torch", "--out", "exports/model.pt2"],
}
# What lies there from an earlier call: it may only be replaced by what is whole.
EARLIER = {
    "train over another": [TRAIN],
    "evaluate": [TRAIN, [*COMMANDS["evaluate"], "--flip"]],
    "predict": [TRAIN, [*COMMANDS["predict"], "--alpha", "0.2"]],
    "export": [TRAIN],
}
ONCE = ("export",)
"""Commands that refuse to be repeated once they are complete: they overwrite nothing."""


@dataclass
class Scenario:
    """A command that faults happen to."""

    command: Sequence[str]
    begin: Path
    """A folder as it is before the command; no test changes it."""
    done: Path
    """The folder after the command, undisturbed; no test changes it."""
    complete: State
    """What lies in it."""
    points: tuple[str, ...]
    seconds: float
    repeats: bool
    """False where the command, given again once it is complete, is refused."""
    warm: WarmProcess

    def run(self, folder: Path, fault: Fault | None = None) -> Ended:
        return self.warm.run(self.command, folder, fault)

    def fresh(self, folder: Path) -> Path:
        return Path(shutil.copytree(self.begin, folder))


class Scenarios:
    def __init__(self, warm: WarmProcess, places: pytest.TempPathFactory) -> None:
        self._warm, self._places, self._made = warm, places, {}

    def __getitem__(self, name: str) -> Scenario:
        if name not in self._made:
            self._made[name] = self._make(name)
        return self._made[name]

    def _make(self, name: str) -> Scenario:
        begin = self._places.mktemp("begin")
        if name == "predict":
            make_photos(begin / "photos")
        for command in EARLIER.get(name, []):
            assert self._warm.run(command, begin).status == 0
        complete = Path(shutil.copytree(begin, self._places.mktemp("complete"), dirs_exist_ok=True))
        ended = self._warm.run(COMMANDS[name], complete)
        assert ended.status == 0, ended.err
        return Scenario(
            COMMANDS[name],
            begin,
            complete,
            state_of(complete),
            ended.points,
            ended.seconds,
            name not in ONCE,
            self._warm,
        )


def make_photos(folder: Path) -> None:
    """Write three photos of unequal size."""
    generator = np.random.default_rng(0)
    folder.mkdir(parents=True)
    for number in range(3):
        pixels = generator.integers(0, 255, (33, 40 + number, 3), np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")


def make_data(folder: Path) -> None:
    """Write a folder data set of three photos and two classes."""
    make_photos(folder / "images")
    (folder / "masks").mkdir()
    for photo in (folder / "images").iterdir():
        mask = np.indices(np.array(Image.open(photo)).shape[:2]).sum(0) // 16 % 2
        Image.fromarray(mask.astype(np.uint8)).save(folder / "masks" / photo.name)
    (folder / "classes.txt").write_text("ground\nstripe\n")
    (folder / "train.txt").write_text("0\n1\n")
    (folder / "val.txt").write_text("2\n")
