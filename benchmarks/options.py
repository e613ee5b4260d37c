"""The options of `python -m benchmarks`, made into a command line by tyro."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, get_args

import tyro

Section = Literal[
    "inference",
    "photos",
    "memory",
    "training",
    "parts",
    "lessons",
    "gpu",
    "accuracy",
    "metrics",
    "data",
    "import",
    "explorers",
]
SECTIONS: tuple[Section, ...] = get_args(Section)
RECORDS = Path("data/benchmarks")


@dataclass(frozen=True)
class Options:
    """Measure dlv3's speed side by side with torchvision's and torchmetrics', in one process.

    Each ratio is the median, with quartiles, of interleaved runs. The exit status is 1 if answers that should agree
    differ.
    """

    sections: tyro.conf.Positional[tuple[Section, ...]] = ()
    """inference, training: compared with torchvision's deeplabv3_resnet50. photos: a folder of pictures of many sizes.
    memory: the first picture's latency and the memory, each contender in a process of its own. parts: where our time
    goes, by kind of operation. lessons: the lessons' network, compared with plain torch. gpu: inference and training
    beside all that torch's users switch on for torchvision's. accuracy: mIOU in bfloat16 and in float32. metrics: mIOU
    compared with torchmetrics'. data: scenes drawn per second. import: of dlv3 in a new process. explorers: from key
    press to picture in a browser. All of them when left out."""
    quick: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """A run of a few minutes: smaller images, one at a time, few rounds. Other options override these."""
    device: str = "cpu"
    """cpu or cuda."""
    threads: tuple[int, ...] = (1, 2)
    """Numbers of torch's threads to measure with, each in turn. On a GPU only the first."""
    size: int = 513
    """Side of the images for inference, in pixels."""
    batch: tuple[int, ...] = (1, 4)
    """Images at a time for inference."""
    photos: int = 50
    """Pictures of the mixed folder, of sizes between 300 and 1200 pixels."""
    peers: Annotated[bool, tyro.conf.FlagCreatePairsOff] = True
    """Measure ONNX Runtime and OpenVINO as well, where they are installed: pip install 'dlv3[peers]'."""
    training_size: int = 257
    """Side of the crops for the training step."""
    training_batch: int = 4
    """Crops of a training step."""
    output_stride: tuple[int, ...] = (16, 8)
    """Of inference and training."""
    rounds: int = 11
    """The most rounds of interleaved runs."""
    seconds: float = 120.0
    """After this time a comparison begins no further round, except for the first three."""
    compile: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Measure what torch.compile makes of torchvision's model and of ours as well, which takes minutes for each
    case."""
    emulated: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Measure bfloat16 on a CPU that only emulates it, too; such rows are marked."""
    pictures: int | None = None
    """How many pictures of the scenes' test split are used for accuracy; all when left out."""
    json: Path | None = None
    """Write the rows into this file, such as data/benchmarks/cpu.json. Rows that an earlier run of the same commit left
    there on the same machine, and that this run does not measure, stay."""
    publish: Path | None = None
    """Measure nothing; write the tables of the recorded files into README.md beside them, and the headline figures
    into this Markdown file, such as README.md."""
    records: Path = RECORDS
    """The folder of the recorded files."""

    def __post_init__(self) -> None:
        for name in ("size", "training_size", "training_batch", "rounds", "photos"):
            self._check(name, getattr(self, name) >= 1, "at least 1")
        for name in ("threads", "batch", "output_stride"):
            values = getattr(self, name)
            self._check(name, bool(values) and min(values) >= 1, "one number of at least 1 or more")
        self._check("output_stride", set(self.output_stride) <= {8, 16}, "8, 16 or both")
        self._check("training_batch", self.training_batch > 1, "at least 2, for batch normalization")
        self._check("device", self.device.partition(":")[0] in ("cpu", "cuda"), "cpu or cuda")
        self._check("pictures", self.pictures is None or self.pictures >= 1, "at least 1")

    def _check(self, name: str, holds: bool, allowed: str) -> None:
        if not holds:
            option = name.replace("_", "-")
            raise ValueError(f"--{option} {getattr(self, name)!r}: expected {allowed}")


QUICK = Options(
    threads=(1,),
    size=257,
    batch=(1,),
    photos=5,
    training_size=129,
    rounds=5,
    seconds=8.0,
    pictures=40,
)


def defaults(argv: Sequence[str]) -> Options:
    """Return the values of the options that are not given."""
    return QUICK if "--quick" in argv else Options()
