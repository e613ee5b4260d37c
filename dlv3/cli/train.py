"""`dlv3 train`: its arguments, which are the configuration's own dataclasses, and what it does."""

import argparse
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Annotated

import tyro

from dlv3.cli.parsing import parse
from dlv3.config.data import DataConfig
from dlv3.config.evaluation import EvaluationConfig
from dlv3.config.presets import PRESETS, PresetName, preset
from dlv3.config.run import RunConfig, differences
from dlv3.config.training import TrainingConfig
from dlv3.deeplab import DeepLabV3Config
from dlv3.files import is_there
from dlv3.printed import say
from dlv3.ranges import Seed

OF_THE_WEIGHTS = (
    "backbone",
    "multi_grid",
    "blocks",
    "aspp_rates",
    "aspp_channels",
    "image_pooling",
    "first_unit",
    "cascade_rate",
    "extra_conv",
    "in_channels",
)
"""The model's options that --training.initial-weights sets, if they are not given. The others need not be the same."""


@dataclass(frozen=True)
class DataOptions(DataConfig):
    """The data's options under their own names, `--ignore 11`, except the seed: the training has one too."""

    seed: Annotated[Seed, tyro.conf.arg(name="data-seed")] = 0
    """scenes, markers: every picture is made from it and the picture's index."""


@dataclass(frozen=True)
class TrainArguments:
    """Train a model, and keep the run in a folder: configuration, metrics, checkpoint, weights, pictures.

    Every option of the model, the data, the training and the evaluation has its value from the preset; the defaults
    below are those of the preset that is given. The number of classes follows the data set. With
    --training.initial-weights the network is the one that the weights are of.
    """

    out: Path
    """The run's folder, which is made."""
    preset: PresetName = "laptop"
    """Options to start from: tiny (seconds), laptop (two minutes on two cores), quarter (the paper's rates and maps on
    small pictures), gpu (minutes on one GPU), paper and paper-stage2 (the published recipe)."""
    data: str = "scenes"
    """scenes, outline, heads, markers:KIND, cells:KIND, ground, folder:DIR or voc:DIR."""
    resume: tyro.conf.FlagCreatePairsOff[bool] = False
    """Continue the run in --out where it stopped, with its own configuration, or begin it."""
    overwrite: tyro.conf.FlagCreatePairsOff[bool] = False
    """Replace the run in --out. It is removed when the new one is complete."""
    options: Annotated[DataOptions, tyro.conf.arg(name="")] = field(default_factory=DataOptions)
    model: DeepLabV3Config = field(default_factory=DeepLabV3Config)
    training: TrainingConfig = field(default_factory=TrainingConfig)
    evaluation: EvaluationConfig = field(default_factory=EvaluationConfig)

    @classmethod
    def of(cls, config: RunConfig, name: PresetName) -> "TrainArguments":
        """Return a configuration as the command line's defaults. The folder has no default."""
        return cls(
            out=tyro.MISSING,
            preset=name,
            data=config.dataset,
            options=DataOptions(**asdict(config.data)),
            model=config.model,
            training=config.training,
            evaluation=config.evaluation,
        )

    def config(self) -> RunConfig:
        """Return the run's configuration."""
        data = DataConfig(**asdict(self.options))
        return RunConfig(self.data, self.model, data, self.training, self.evaluation)


def main(argv: Sequence[str]) -> int:
    """Run `dlv3 train`. Returns the exit status."""
    return train_command(parse(TrainArguments, argv, "dlv3 train", defaults(argv)), argv)


def defaults(argv: Sequence[str]) -> TrainArguments:
    """Return the options before the command line changes them: the preset's, or those of the run to resume.

    Raises:
        ValueError: the run's configuration cannot be read.
    """
    early = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    early.add_argument("--preset", nargs="?", default="laptop")
    early.add_argument("--out", nargs="?", type=Path)
    early.add_argument("--resume", action="store_true")
    early.add_argument("--training.initial-weights", "--training.initial_weights", nargs="?", dest="weights")
    try:
        given, _ = early.parse_known_args(argv)
    except argparse.ArgumentError:  # such as --resume=3, which tyro refuses
        given = argparse.Namespace(preset="laptop", out=None, resume=False, weights=None)
    name: PresetName = "laptop"
    # tyro refuses any other name.
    if given.preset in PRESETS:
        name = given.preset
    stored = given.out / "config.json" if given.out and given.resume else None
    resumes = stored is not None and is_there(stored)
    config = RunConfig.read(stored) if stored and resumes else preset(name)
    if given.weights and given.weights != "None" and not resumes:
        config = replace(config, model=_as_in(given.weights, config.model))
    return TrainArguments.of(config, name)


def _as_in(source: str, model: DeepLabV3Config) -> DeepLabV3Config:
    """Return a model's options with those that have to be as in the network whose weights are given.

    Weights that do not exist change nothing here: `train_command` refuses them.
    """
    from dlv3.training.start import config_of_initial

    try:
        of = config_of_initial(source)
    except FileNotFoundError:
        return model
    return model if of is None else replace(model, **{name: getattr(of, name) for name in OF_THE_WEIGHTS})


def train_command(arguments: TrainArguments, argv: Sequence[str]) -> int:
    """Train, printing what was changed in a resumed run, and the scores at the end. Returns the exit status, 0.

    Args:
        arguments: the parsed arguments.
        argv: the words they were parsed from, which tell whether the number of classes was given.

    Raises:
        ValueError: a bad option, data set or run.
        OSError: a file that does not exist, or one that cannot be written.
    """
    from dlv3.training.run import open_datasets, train
    from dlv3.training.start import require_sources

    config = arguments.config()
    stored = arguments.out / "config.json"
    resumes = arguments.resume and stored.is_file()
    if not resumes:
        # Missing or unreadable weights end here, before anything is made.
        require_sources(config)
    datasets = open_datasets(config)
    if not any(a.split("=")[0].replace("_", "-") == "--model.num-classes" for a in argv):
        config = config.with_classes(datasets[0].num_classes)
    if resumes:
        for change in differences(RunConfig.read(stored), config):
            say(f"changed since the run began: {change}")
    result = train(
        config,
        arguments.out,
        resume=arguments.resume,
        overwrite=arguments.overwrite,
        train_dataset=datasets[0],
        val_dataset=datasets[1],
    )
    if result.first:
        if result.evaluation is not None:
            say(*result.evaluation.table().split("\n"))
        if result.trained == 0:
            say(
                f"nothing left to train: {result.iterations} iterations were done before, and config.json stays as "
                "it was; give more training.iterations to continue"
            )
        if config.training.patience and result.iterations < config.training.iterations:
            say(
                f"stopped early after {result.iterations} of {config.training.iterations} iterations: no better mIOU "
                f"in {config.training.patience} validations"
            )
        if config.training.keep_best and result.best_miou is not None:
            say(
                f"best validation mIOU {100 * result.best_miou:.2f}% at iteration {result.best_iteration}; its weights "
                f"in {arguments.out / 'best.safetensors'}"
            )
        say(
            f"{result.iterations} iterations done, {result.seconds:.0f} s; weights in "
            f"{arguments.out / 'model.safetensors'}"
        )
    return 0
